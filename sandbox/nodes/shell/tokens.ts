/** A word of a script, or one of its operators. `quoted`: nothing in it is a keyword. */
export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly quoted: boolean }
  | { readonly kind: 'operator'; readonly text: string }

/** What a variable stands for; undefined where it is not known. */
export type Variable = (name: string) => string | undefined

const OPERATORS = ['&&', '||', ';', '\n', '(', ')', '|', '&']
const PLAIN = /^[\w./:=,@%+^~-]+/
const PARAMETER = /^\$(?:\{(\w+)\}|([A-Za-z_]\w*))/
const TO_NOWHERE = /^(?:&>|>&|[12]?>>?)[ \t]*\/dev\/null|^2>&1|^1>&2|^>&2/

/**
 * The words and operators of a script; undefined when there is something in it that is not read: substitutions, globs, unknown
 * variables. Output sent to /dev/null or to the other stream is left out.
 */
export function tokensOf(script: string, variable: Variable = () => undefined): Token[] | undefined {
  const tokens: Token[] = []
  let rest = script.replaceAll('\\\n', ' ')
  while (rest.length > 0) {
    const skipped = /^(?:[ \t]+|#[^\n]*)/.exec(rest)?.[0] ?? TO_NOWHERE.exec(rest)?.[0]
    if (skipped) {
      rest = rest.slice(skipped.length)
      continue
    }
    const operator = OPERATORS.find((text) => rest.startsWith(text))
    if (operator) {
      if (operator === '|' || operator === '&') return undefined
      tokens.push({ kind: 'operator', text: operator })
      rest = rest.slice(operator.length)
      continue
    }
    const word = wordAt(rest, variable)
    if (!word) return undefined
    tokens.push({ kind: 'word', text: word.text, quoted: word.quoted })
    rest = rest.slice(word.length)
  }
  return tokens
}

function wordAt(script: string, variable: Variable): { text: string; quoted: boolean; length: number } | undefined {
  let text = ''
  let quoted = false
  let at = 0
  for (;;) {
    const rest = script.slice(at)
    const single = /^'([^']*)'/.exec(rest)
    const double = single ? null : /^"((?:[^"\\`]|\\[^`])*)"/.exec(rest)
    const parameter = PARAMETER.exec(rest)
    const plain = PLAIN.exec(rest) ?? /^(?:[[\]{}!?]|\\.)/.exec(rest)
    if (single) text += single[1]
    else if (double) {
      const inner = expanded(double[1]!, variable)
      if (inner === undefined) return undefined
      text += inner
    } else if (parameter) {
      const value = variable((parameter[1] ?? parameter[2])!)
      // an unquoted value is split at its spaces
      if (value === undefined || /\s/.test(value)) return undefined
      text += value
    } else if (plain) text += plain[0].startsWith('\\') ? plain[0].slice(1) : plain[0]
    else break
    quoted ||= Boolean(single ?? double)
    at += (single ?? double ?? parameter ?? plain)![0].length
  }
  return at === 0 ? undefined : { text, quoted, length: at }
}

function expanded(text: string, variable: Variable): string | undefined {
  let unknown = false
  const out = text.replace(/\\(["\\$])|\$(?:\{(\w+)\}|([A-Za-z_]\w*)|(.|$))/g, (_, escaped, braced, name) => {
    if (escaped) return escaped
    const value = (braced ?? name) ? variable(braced ?? name) : undefined
    if (value === undefined) unknown = true
    return value ?? ''
  })
  return unknown ? undefined : out
}
