import type { Container } from '../../kube/objects.ts'
import type { ShellEnvironment } from './shell-words.ts'

/** The container's environment as far as the manifest tells: a value from a secret, field or config map is `undefined`. */
export function environmentOf(container: Pick<Container, 'env'>): ShellEnvironment {
  const environment: Record<string, string | undefined> = {}
  for (const { name, value, valueFrom } of container.env ?? [])
    environment[name] = valueFrom === undefined ? expandReferences(value ?? '', environment).text : undefined
  return environment
}

/**
 * Expands `$(NAME)` as the kubelet does in command, args and env: `$$` is a dollar sign, and a reference to nothing stays
 * as it is written. `unknown` lists the names that are set, but to a value the manifest does not tell.
 */
// follows third_party/forked/golang/expansion/expand.go
export function expandReferences(input: string, environment: ShellEnvironment): { text: string; unknown: string[] } {
  const unknown: string[] = []
  const text = input.replace(/\$(\$|\(([^)]*)\))/g, (whole, after: string, name: string | undefined) => {
    if (after === '$') return '$'
    const value = environment[name!]
    if (value !== undefined) return value
    if (name! in environment) unknown.push(name!)
    return whole
  })
  return { text, unknown }
}
