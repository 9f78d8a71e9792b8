/** A template the adapter would not load, or one that uses more of Go's templates than is read here. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly code = 'adapter-template'
}

export type TemplateValue = string | readonly string[] | Readonly<Record<string, string>>
export type TemplateArgs = Readonly<Record<string, TemplateValue>>

type Part = string | ((args: TemplateArgs) => string)

/**
 * Go's text/template between `<<` and `>>`, as far as adapters' queries go: fields (`.Series`), `index .LabelValuesByName "x"`,
 * `index .GroupBySlice 0`, and trimming by `-`. Throws a TemplateError on the rest.
 */
export function parseTemplate(source: string): (args: TemplateArgs) => string {
  const parts: Part[] = []
  let rest = source
  for (;;) {
    const open = rest.indexOf('<<')
    if (open < 0) break
    const close = rest.indexOf('>>', open)
    if (close < 0) throw new TemplateError('unclosed action')
    let text = rest.slice(0, open)
    let action = rest.slice(open + 2, close)
    rest = rest.slice(close + 2)
    if (action.startsWith('- ')) {
      text = text.trimEnd()
      action = action.slice(2)
    }
    if (action.endsWith(' -')) {
      rest = rest.trimStart()
      action = action.slice(0, -2)
    }
    parts.push(text, expression(action.trim()))
  }
  parts.push(rest)
  return (args) => parts.map((part) => (typeof part === 'string' ? part : part(args))).join('')
}

function expression(action: string): (args: TemplateArgs) => string {
  const field = /^\.(\w+)$/.exec(action)
  if (field) return (args) => printed(fieldOf(args, field[1]!))
  const index = /^index\s+\.(\w+)\s+(?:"([^"]*)"|(\d+))$/.exec(action)
  if (index) {
    const [, name, key, position] = index
    return (args) => {
      const value = fieldOf(args, name!)
      if (Array.isArray(value)) return (value as readonly string[])[Number(position)] ?? ''
      return (value as Readonly<Record<string, string>>)[key ?? position!] ?? ''
    }
  }
  throw new TemplateError(`«<<${action}>>» is not simulated: only fields and index are`)
}

function fieldOf(args: TemplateArgs, name: string): TemplateValue {
  const value = args[name]
  if (value === undefined) throw new TemplateError(`can't evaluate field ${name}`)
  return value
}

/** As Go prints a slice or a map. */
function printed(value: TemplateValue): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return `[${value.join(' ')}]`
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([k, v]) => `${k}:${v}`).join(' ')}]`
}
