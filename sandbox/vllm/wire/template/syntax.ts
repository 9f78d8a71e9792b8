/**
 * What Jinja's lexer has against a template: brackets within `{{ … }}` and `{% … %}` that do not match. Undefined: they do. While a bracket
 * is open, an end of the block is not seen as such.
 */
// follows jinja2/lexer.py, Lexer.tokeniter
export function bracketProblem(source: string): string | undefined {
  let at = 0
  while (at < source.length) {
    const start = /\{\{|\{%|\{#/.exec(source.slice(at))
    if (!start) return undefined
    at += start.index + 2
    if (start[0] === '{#') {
      const end = source.indexOf('#}', at)
      if (end < 0) return 'Missing end of comment tag'
      at = end + 2
      continue
    }
    const block = expressionFrom(source, at, start[0] === '{{' ? '}}' : '%}')
    if (typeof block === 'string') return block
    at = block
  }
  return undefined
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** Where the block ends, or what is wrong in it. */
function expressionFrom(source: string, from: number, end: '}}' | '%}'): number | string {
  const expected: string[] = []
  let at = from
  while (at < source.length) {
    if (expected.length === 0 && /^[-+]?(\}\}|%\})/.exec(source.slice(at, at + 3))?.[1] === end)
      return source.indexOf(end, at) + 2
    const text = /^(?:'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*")/.exec(source.slice(at))
    if (text) {
      at += text[0].length
      continue
    }
    const char = source[at]!
    if (char in CLOSING) expected.push(CLOSING[char]!)
    else if (')]}'.includes(char)) {
      const wanted = expected.pop()
      if (wanted === undefined) return `unexpected '${char}'`
      if (wanted !== char) return `unexpected '${char}', expected '${wanted}'`
    }
    at++
  }
  return source.length
}
