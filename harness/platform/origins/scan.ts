/** A step to a field of a template: a key, or the item of a list with the literal text of its `name`, where it has one. */
export type ScannedStep = string | ScannedItem

export interface ScannedItem {
  readonly index: number
  name?: string
  /** It is written once and comes out any number of times. */
  readonly repeated: boolean
}

/** A key, a list item or an expression that stands for a whole value, at its place in the template. Lines and columns count from 1. */
export interface ScannedField {
  readonly path: readonly ScannedStep[]
  readonly line: number
  readonly column: number
  /** What follows the key on its line. */
  readonly value: string
  /** `value` is an expression on a line of its own, whose result goes below the path. */
  readonly inserted: boolean
  /** What `.` means here, as keys below `.Values`; undefined where that is not known. */
  readonly dot: readonly string[] | undefined
  /** What variables mean here, as keys below `.Values`; `*` stands for an item of a list. */
  readonly variables: Variables
}

export type Variables = Readonly<Record<string, readonly string[]>>

/** Among keys below `.Values`: one item of a list, or one value of a map. */
export const ANY = '*'

interface Open {
  readonly indent: number
  readonly step: ScannedStep
  /** Nothing follows it on its line. */
  readonly empty?: boolean
  items: number
}

interface Block {
  readonly dot: readonly string[] | undefined
  readonly repeats: boolean
}

/**
 * Reads a Helm template without rendering it: keys by their indentation, expressions on lines of their own by the place their result goes to. It never fails;
 * what it does not understand is not found. `first` is the number of the first line. Documents (`---`) come apart.
 */
export function scanTemplate(text: string, first = 1): ScannedField[][] {
  const scan = new Scan()
  for (const [i, line] of wholeActions(text).split(/\r?\n/).entries()) scan.line(line, first + i)
  return scan.documents
}

/** Expressions over several lines, brought onto their first; the others stay as empty lines. */
const wholeActions = (text: string): string =>
  text.replace(/\{\{(?:(?!\}\})[^\n])*\n(?:(?!\}\})[\s\S])*\}\}/g, (action) => {
    const lines = action.split('\n')
    return lines.map((line) => line.trim()).join(' ') + '\n'.repeat(lines.length - 1)
  })

const KEY =
  /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#{}[\]&*!|>%@`,-][^:#{}]*?|-[^\s:][^:]*?|\{\{.*?\}\}[^\s:]*)\s*:(?:\s+(.*))?$/

class Scan {
  readonly documents: ScannedField[][] = [[]]
  private open: Open[] = []
  private readonly blocks: Block[] = [{ dot: undefined, repeats: false }]
  /** Text below a key of this indentation is a block scalar's. */
  private scalarBelow: number | undefined
  private variables: Variables = {}

  line(line: string, number: number): void {
    const text = line.trim()
    if (text === '') return
    if (/^---(\s|$)/.test(line)) {
      this.documents.push([])
      this.open = []
      this.scalarBelow = undefined
      return
    }
    const indent = line.length - line.trimStart().length
    const control = onlyTemplate(text)
    if (control) {
      for (const action of control) this.action(action, indent, number)
      return
    }
    if (this.scalarBelow !== undefined && indent > this.scalarBelow) return
    this.scalarBelow = undefined
    if (!text.startsWith('#')) this.content(line, indent, number)
  }

  private content(line: string, indent: number, number: number): void {
    let at = indent
    let dash = indent
    let rest = line.slice(at)
    while (/^-(\s|$)/.test(rest)) {
      this.item(at)
      dash = at
      const gap = /^-\s*/.exec(rest)![0].length
      at += gap
      rest = rest.slice(gap)
      if (rest === '') return
    }
    const key = KEY.exec(rest)
    if (!key) {
      if (at > indent) this.add(number, at, withoutComment(rest.trim()), false)
      return
    }
    if (at > indent) this.add(number, dash, '', false)
    while (this.open.length > 0 && this.open.at(-1)!.indent >= at) this.open.pop()
    const value = withoutComment(key[2] ?? '')
    this.open.push({ indent: at, step: unquoted(key[1]!), empty: value === '', items: 0 })
    this.nameItem(value)
    this.add(number, value === '' ? at : at + rest.indexOf(value, key[1]!.length), value, false)
    if (/^[|>][-+0-9]*$/.test(value)) this.scalarBelow = at
  }

  private item(indent: number): void {
    while (this.open.length > 0) {
      const last = this.open.at(-1)!
      if (last.indent < indent || (last.indent === indent && typeof last.step === 'string')) break
      this.open.pop()
    }
    const list = this.open.at(-1)
    const index = list ? list.items++ : 0
    this.open.push({ indent, step: { index, repeated: this.blocks.some(({ repeats }) => repeats) }, items: 0 })
  }

  /** `name: vllm` directly in a list item is what the item is known by. */
  private nameItem(value: string): void {
    const [item, key] = this.open.slice(-2)
    if (key?.step !== 'name' || !item || typeof item.step === 'string') return
    if (value !== '' && !value.includes('{{')) item.step.name = unquoted(value)
  }

  private action(action: string, indent: number, number: number): void {
    const [word = '', ...rest] = action.split(/\s+/)
    const last = this.blocks.at(-1)!
    if (word === 'with' || word === 'range') {
      const [variables, expression] = declaredIn(rest.join(' '))
      const [path] = valuePaths(expression, last.dot, this.variables)
      const inner = path && word === 'range' ? [...path, ANY] : path
      if (inner && variables.length > 0) this.variables = { ...this.variables, [variables.at(-1)!]: inner }
      this.blocks.push({ dot: inner, repeats: word === 'range' })
    } else if (word === 'if' || word === 'define' || word === 'block') this.blocks.push({ ...last, repeats: false })
    else if (word === 'end') {
      if (this.blocks.length > 1) this.blocks.pop()
    } else if (/^\$\w+\s*:?=/.test(action)) {
      const [[variable], expression] = declaredIn(action)
      const [path] = valuePaths(expression, last.dot, this.variables)
      if (variable && path) this.variables = { ...this.variables, [variable]: path }
    } else if (word !== 'else' && !word.startsWith('/*')) {
      const depth = Number(/\bn?indent\s+(\d+)/.exec(action)?.[1] ?? indent)
      const parents = this.open.filter((one) => one.indent < depth || (depth === 0 && one.indent === 0))
      this.add(number, indent, action, true, depth === 0 ? [] : parents)
      // the items of a list may stand below a key that is no further in
      const key = this.open.findLast((one) => one.indent === depth && typeof one.step === 'string' && one.empty)
      if (key && depth > 0) this.add(number, indent, action, true, [...parents, key])
    }
  }

  private add(line: number, at: number, value: string, inserted: boolean, open: readonly Open[] = this.open): void {
    const { dot } = this.blocks.at(-1)!
    const { variables } = this
    const path = open.map(({ step }) => step)
    this.documents.at(-1)!.push({ path, line, column: at + 1, value, inserted, dot, variables })
  }
}

/** The actions of a line that has nothing else: `{{- if .Values.a }}`. */
function onlyTemplate(text: string): string[] | undefined {
  if (!text.startsWith('{{')) return undefined
  const actions = [...text.matchAll(/\{\{-?\s*(.*?)\s*-?\}\}/g)].map(([, inner]) => inner!)
  return actions.length > 0 && text.replaceAll(/\{\{.*?\}\}/g, '').trim() === '' ? actions : undefined
}

/** Keys below `.Values` an expression reads, in the order in which it says them. */
export function valuePaths(
  expression: string,
  dot: readonly string[] | undefined,
  variables: Variables = {},
): string[][] {
  const paths: string[][] = []
  const indexed = /\bindex\s+\$?\.Values((?:\.[\w-]+)*)((?:\s+"[^"]+")+)/g
  for (const [, within, keys] of expression.matchAll(indexed))
    paths.push([...within!.split('.').slice(1), ...[...keys!.matchAll(/"([^"]+)"/g)].map((m) => m[1]!)])
  for (const [, keys] of expression.matchAll(/\$?\.Values((?:\.[\w-]+)+)/g)) paths.push(keys!.slice(1).split('.'))
  for (const [, name, keys] of expression.matchAll(/(\$\w+)((?:\.[\w-]+)*)/g)) {
    const known = variables[name!]
    if (known) paths.push([...known, ...(keys === '' ? [] : keys!.slice(1).split('.'))])
  }
  if (dot && paths.length === 0) {
    const own = /(?:^|[\s({|])\.((?:[a-z_][\w-]*(?:\.[\w-]+)*)?)(?=[\s)}|]|$)/.exec(expression)
    if (own) paths.push([...dot, ...(own[1] ? own[1].split('.') : [])])
  }
  return paths
}

/** `$i, $model := .Values.models`: the variables, and what they are set to. */
function declaredIn(expression: string): [variables: string[], expression: string] {
  const declared = /^((?:\$\w+\s*,\s*)?\$\w+)\s*:?=\s*(.*)$/s.exec(expression)
  return declared ? [declared[1]!.split(/\s*,\s*/), declared[2]!] : [[], expression]
}

const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/, '$2')

/** Expressions may hold quotes and `#` of their own. */
function withoutComment(text: string): string {
  if (text.includes('{{')) return text.replace(/(["'}])\s+#[^"'}]*$/, '$1').trim()
  return (/^(["'])(?:\\.|(?!\1).)*\1/.exec(text)?.[0] ?? text.replace(/\s+#.*$/, '')).trim()
}
