import { environmentOf } from '../../../vllm/flags/kubelet-expansion.ts'
import { type ExecCommand, type ExecContext, NotSimulated } from './command.ts'
import { hostnameOf } from './hostname.ts'

/** `env` and `printenv`: the variables the manifest sets, with a word on standard error about those nobody here knows. */
export const envCommand: ExecCommand = {
  names: ['env', 'printenv'],
  *run([name, ...args], context) {
    const { values, unknown } = variablesOf(context)
    if (args.length === 0) {
      const stdout = [...values].map(([key, value]) => `${key}=${value}\n`).join('')
      const others = ["the image's own variables", 'those of Services', ...unknown]
      return { exitCode: 0, stdout, stderr: `seatrial: not known here: ${others.join(', ')}\n` }
    }
    if (name!.endsWith('/env') || name === 'env') throw new NotSimulated('env is simulated without arguments')
    const missing = args.filter((arg) => !values.has(arg))
    if (missing.length > 0) throw new NotSimulated(`the value of ${missing.join(', ')} is not known here`)
    return { exitCode: 0, stdout: args.map((arg) => `${values.get(arg)}\n`).join('') }
  },
}

/** Variables of the container's environment by name, and the names of those whose values are not known. */
export function variablesOf(context: ExecContext): { values: ReadonlyMap<string, string>; unknown: readonly string[] } {
  const values = new Map([['HOSTNAME', hostnameOf(context)]])
  const unknown: string[] = []
  const known = environmentOf(context.container).values
  for (const [name, value] of Object.entries(known)) {
    const text = value ?? fieldOf(context, name)
    if (text === undefined) unknown.push(name)
    else values.set(name, text)
  }
  return { values, unknown }
}

// follows podFieldSelectorRuntimeValue of pkg/kubelet/kubelet_pods.go
function fieldOf({ hosted: { pod, status }, container, node }: ExecContext, name: string): string | undefined {
  const source = container.env?.find((one) => one.name === name)?.valueFrom as
    | { fieldRef?: { fieldPath?: string } }
    | undefined
  const path = source?.fieldRef?.fieldPath
  const { labels = {}, annotations = {} } = pod.metadata
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path ?? '')
  if (subscript) return (subscript[1] === 'labels' ? labels : annotations)[subscript[2]!] ?? ''
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace ?? 'default'
    case 'metadata.uid':
      return pod.metadata.uid
    case 'spec.nodeName':
      return node.name
    case 'status.podIP':
      return status.podIP
    case 'status.hostIP':
      return status.hostIP
    default:
      return undefined
  }
}
