/** A template that cannot be read; `unsupported`: Go's text/template could. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly unsupported: boolean

  constructor(message: string, unsupported = false) {
    super(message)
    this.unsupported = unsupported
  }
}

export type Term =
  | { readonly kind: 'literal'; readonly value: string | number }
  /** `$labels.x`, `.Labels.x`: the root in lower camel case, then fields. */
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'group'; readonly action: Action }

/** Commands joined by `|`; each is a function or a value, then arguments. */
export type Action = readonly (readonly Term[])[]

const ROOTS: Readonly<Record<string, string>> = {
  $labels: 'labels',
  $value: 'value',
  $externalLabels: 'externalLabels',
  $externalURL: 'externalUrl',
  '.Labels': 'labels',
  '.Value': 'value',
  '.ExternalLabels': 'externalLabels',
  '.ExternalURL': 'externalUrl',
}

const KEYWORDS = /^(?:if|else|end|range|with|define|template|block|break|continue)$/
const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`)|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|([$.]?\w+(?:\.\w+)*|[$.])(?=[\s|()]|$)|([|()])|(\S+))/y

/** Splits a template into plain text and actions. Throws a `TemplateError`. Follows Go's text/template for what alerts commonly use. */
export function parseTemplate(source: string): (string | Action)[] {
  const parts: (string | Action)[] = []
  const opened = source.split('{{')
  let trimNext = false
  for (const [i, piece] of opened.entries()) {
    let body = piece
    if (i > 0) {
      const end = /^((?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`}]|\}(?!\}))*)\}\}/.exec(piece)
      if (!end) throw new TemplateError('unclosed action')
      const action = end[1]!
      if (/^-\s/.test(action) && typeof parts.at(-1) === 'string') parts.push((parts.pop() as string).trimEnd())
      trimNext = /\s-$/.test(action)
      const inner = action.replace(/^-(?=\s)/, '').replace(/\s-$/, '')
      if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(inner)) parts.push(new ActionParser(inner).run())
      body = piece.slice(end[0].length)
    }
    parts.push(trimNext ? body.trimStart() : body)
    trimNext = false
  }
  return parts
}

class ActionParser {
  private readonly tokens: { text: string; kind: 'string' | 'number' | 'word' | 'mark' }[] = []
  private i = 0

  constructor(source: string) {
    TOKEN.lastIndex = 0
    for (let match = TOKEN.exec(source); match && match[0].trim() !== ''; match = TOKEN.exec(source)) {
      const [whole, string, number, word, mark, rest] = match
      if (rest !== undefined) throw new TemplateError(`unexpected ${JSON.stringify(rest)} in {{${source}}}`, true)
      const kind =
        string !== undefined ? 'string' : number !== undefined ? 'number' : word !== undefined ? 'word' : 'mark'
      this.tokens.push({ text: (string ?? number ?? word ?? mark ?? whole).trim(), kind })
    }
  }

  run(): Action {
    const action = this.pipeline()
    if (this.i < this.tokens.length)
      throw new TemplateError(`unexpected ${JSON.stringify(this.tokens[this.i]!.text)} in command`)
    return action
  }

  private pipeline(): Action {
    const commands: Term[][] = []
    do {
      const terms: Term[] = []
      while (this.i < this.tokens.length && !'|)'.includes(this.tokens[this.i]!.text)) terms.push(this.term())
      if (terms.length === 0) throw new TemplateError('missing value for command')
      commands.push(terms)
    } while (this.tokens[this.i]?.text === '|' && ++this.i)
    return commands
  }

  private term(): Term {
    const { text, kind } = this.tokens[this.i++]!
    if (kind === 'string') return { kind: 'literal', value: text[0] === '`' ? text.slice(1, -1) : JSON.parse(text) }
    if (kind === 'number') return { kind: 'literal', value: Number(text) }
    if (text === '(') {
      const action = this.pipeline()
      if (this.tokens[this.i++]?.text !== ')') throw new TemplateError('unclosed left paren')
      return { kind: 'group', action }
    }
    if (KEYWORDS.test(text))
      throw new TemplateError(`"${text}" in a template is not evaluated by Seatrial; write the text without it`, true)
    if (/^[$.]/.test(text)) return this.field(text)
    return { kind: 'name', name: text }
  }

  private field(text: string): Term {
    const [, first, rest] = /^([$.]\w*)(?:\.(.+))?$/.exec(text) ?? []
    const root = ROOTS[first ?? '']
    if (root === undefined) throw new TemplateError(`undefined variable "${text}"`)
    return { kind: 'field', path: [root, ...(rest === undefined ? [] : rest.split('.'))] }
  }
}
