import type { Template } from '@huggingface/jinja'

type Program = Template['parsed']
/** A node of a parsed template; which fields it has depends on its type. */
type Node = { readonly type: string } & Readonly<Record<string, unknown>>

/** Whether a template walks through the parts of messages' contents (`openai`), or takes each content as one text. */
// follows _detect_content_format in vllm/renderers/hf.py
export function contentFormatOf(parsed: Program): 'string' | 'openai' {
  const nodes = allNodes(parsed as unknown as Node)
  const messages = aliasesOf('messages', nodes)
  const loops = nodes.filter(({ type }) => type === 'For')
  const items = new Set<string>()
  for (const { iterable, loopvar } of loops)
    for (const name of messages) if (isAccess(iterable, name)) addName(loopvar, items)
  const isContent = (node: unknown) => [...items].some((name) => isAccess(node, name, 'content'))
  const macros = nodes.filter(({ type }) => type === 'Macro')
  const inMacros = new Set(macros.flatMap((macro) => allNodes(macro)))
  const walksContent = ({ iterable }: Node) =>
    isContent(iterable) || (nameOf(iterable) === 'content' && !inMacros.has(iterable as Node))
  if (loops.some(walksContent)) return 'openai'
  const calls = nodes.filter(({ type }) => type === 'CallExpression')
  const walksParameter = (macro: Node) => {
    const parameters = contentParameters(macro, calls, isContent)
    return allNodes(macro).some(({ type, iterable }) => type === 'For' && parameters.has(nameOf(iterable) ?? ''))
  }
  return macros.some(walksParameter) ? 'openai' : 'string'
}

/** Parameters of a macro that get a message's content somewhere. */
function contentParameters(macro: Node, calls: readonly Node[], isContent: (node: unknown) => boolean): Set<string> {
  const parameters = (macro['args'] as readonly Node[]).map((arg) => nameOf(arg) ?? nameOf(arg['key']) ?? '')
  const found = new Set<string>()
  for (const { callee, args } of calls) {
    if (nameOf(callee) !== nameOf(macro['name'])) continue
    for (const [i, arg] of (args as readonly Node[]).entries()) {
      if (arg.type !== 'KeywordArgumentExpression') {
        if (isContent(arg) && parameters[i] !== undefined) found.add(parameters[i])
      } else if (isContent(arg['value'])) found.add(nameOf(arg['key']) ?? '')
    }
  }
  return found
}

/** The variable, and others that are assigned it or some of it. */
function aliasesOf(name: string, nodes: readonly Node[]): string[] {
  const sets = nodes.filter(({ type }) => type === 'Set')
  const names = [name]
  for (let i = 0; i < names.length; i++)
    for (const { assignee, value } of sets) {
      const target = nameOf(assignee)
      if (target !== undefined && !names.includes(target) && isAccess(value, names[i]!)) names.push(target)
    }
  return names
}

/** A variable, or a key of it, through filters, tests and slices. */
function isAccess(node: unknown, name: string, key?: string): boolean {
  const { type, operand, object, property } = (node ?? {}) as Node
  if (type === 'FilterExpression' || type === 'TestExpression') return isAccess(operand, name, key)
  if (type === 'MemberExpression') {
    if ((property as Node).type === 'SliceExpression') return isAccess(object, name, key)
    const named = (property as Node)['value']
    return key !== undefined && nameOf(object) === name && named === key
  }
  return key === undefined && nameOf(node) === name
}

const nameOf = (node: unknown): string | undefined => {
  const { type, value } = (node ?? {}) as Node
  return type === 'Identifier' ? String(value) : undefined
}

function addName(node: unknown, names: Set<string>): void {
  const name = nameOf(node)
  if (name !== undefined) names.add(name)
}

function allNodes(root: Node): Node[] {
  const found: Node[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    else if (value instanceof Map) for (const [key, entry] of value) [key, entry].forEach(visit)
    else if (value !== null && typeof value === 'object' && 'type' in value) {
      found.push(value as Node)
      Object.values(value).forEach(visit)
    }
  }
  visit(root)
  return found
}
