/** What would mean something to a shell and means nothing without one. */
const SHELL = /[|&;<>`]|\$[({\w]/

/**
 * A command's words: separated by blanks, held together by quotes. Throws a RangeError for what only a shell understands, since none runs it.
 */
export function commandWords(text: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (quote) {
      if (char === quote) quote = undefined
      else if (char === '\\' && quote === '"' && i + 1 < text.length) word += text[++i]!
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      const shell = SHELL.exec(text.slice(i, i + 2))
      if (shell?.index === 0)
        throw new RangeError(
          `commands run without a shell, where «${shell[0]}» means nothing: give one program and its arguments`,
        )
      word = (word ?? '') + char
    }
  }
  if (quote) throw new RangeError(`the quote ${quote} is not closed`)
  if (word !== undefined) words.push(word)
  if (words.length === 0) throw new RangeError('a command is empty')
  return words
}

/** The command as people would type it. */
export const commandText = (argv: readonly string[]): string =>
  argv.map((word) => (/^[\w./:=@,+%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
