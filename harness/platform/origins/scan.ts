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
}

interface Open {
  readonly indent: number
  readonly step: ScannedStep
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
  for (const [i, line] of text.split(/\r?\n/).entries()) scan.line(line, first + i)
  return scan.documents
}

const KEY =
  /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#{}[\]&*!|>%@`,-][^:#{}]*?|-[^\s:][^:]*?|\{\{.*?\}\}[^\s:]*)\s*:(?:\s+(.*))?$/

class Scan {
  readonly documents: ScannedField[][] = [[]]
  private open: Open[] = []
  private readonly blocks: Block[] = [{ dot: undefined, repeats: false }]
  /** Text below a key of this indentation is a block scalar's. */
  private scalarBelow: number | undefined

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
    let rest = line.slice(at)
    while (/^-(\s|$)/.test(rest)) {
      this.item(at)
      const gap = /^-\s*/.exec(rest)![0].length
      at += gap
      rest = rest.slice(gap)
      if (rest === '') return
    }
    const key = KEY.exec(rest)
    if (!key) {
      if (at > indent) this.add(number, at, rest.trim(), false)
      return
    }
    while (this.open.length > 0 && this.open.at(-1)!.indent >= at) this.open.pop()
    this.open.push({ indent: at, step: unquoted(key[1]!), items: 0 })
    const value = withoutComment(key[2] ?? '')
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
      const [path] = valuePaths(rest.join(' '), last.dot)
      this.blocks.push({ dot: word === 'with' ? path : undefined, repeats: word === 'range' })
    } else if (word === 'if' || word === 'define' || word === 'block') this.blocks.push({ ...last, repeats: false })
    else if (word === 'end') {
      if (this.blocks.length > 1) this.blocks.pop()
    } else if (word !== 'else' && !/^\$\w*\s*:?=/.test(action) && !word.startsWith('/*')) {
      const depth = Number(/\bn?indent\s+(\d+)/.exec(action)?.[1] ?? indent)
      const parents = this.open.filter((one) => one.indent < depth || (depth === 0 && one.indent === 0))
      this.add(number, indent, action, true, depth === 0 ? [] : parents)
    }
  }

  private add(line: number, at: number, value: string, inserted: boolean, open: readonly Open[] = this.open): void {
    const { dot } = this.blocks.at(-1)!
    this.documents.at(-1)!.push({ path: open.map(({ step }) => step), line, column: at + 1, value, inserted, dot })
  }
}

/** The actions of a line that has nothing else: `{{- if .Values.a }}`. */
function onlyTemplate(text: string): string[] | undefined {
  if (!text.startsWith('{{')) return undefined
  const actions = [...text.matchAll(/\{\{-?\s*(.*?)\s*-?\}\}/g)].map(([, inner]) => inner!)
  return actions.length > 0 && text.replaceAll(/\{\{.*?\}\}/g, '').trim() === '' ? actions : undefined
}

/** Keys below `.Values` an expression reads, in the order in which it says them. */
export function valuePaths(expression: string, dot: readonly string[] | undefined): string[][] {
  const paths: string[][] = []
  const indexed = /\bindex\s+\$?\.Values((?:\s+"[^"]+")+)/g
  for (const [, keys] of expression.matchAll(indexed)) paths.push([...keys!.matchAll(/"([^"]+)"/g)].map((m) => m[1]!))
  for (const [, keys] of expression.matchAll(/\$?\.Values((?:\.[\w-]+)+)/g)) paths.push(keys!.slice(1).split('.'))
  if (dot && paths.length === 0) {
    const own = /(?:^|[\s({|])\.((?:[a-z_][\w-]*(?:\.[\w-]+)*)?)(?=[\s)}|]|$)/.exec(expression)
    if (own) paths.push([...dot, ...(own[1] ? own[1].split('.') : [])])
  }
  return paths
}

const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/, '$2')

const withoutComment = (text: string): string => (/^["']/.test(text) ? text.trim() : text.replace(/\s+#.*$/, '').trim())
