import type { Container } from '../../kube/objects.ts'
import type { ShellEnvironment } from './shell-words.ts'

/** The data of a ConfigMap of the pod's namespace; undefined for one that is not known. */
export type ConfigMapLookup = (name: string) => Readonly<Record<string, string>> | undefined

export interface ContainerEnvironment {
  /** A value that is set, but to something not known, is `undefined`. */
  readonly values: ShellEnvironment
  /** False when a secret or a map nobody has may set any other variable. */
  readonly complete: boolean
}

type Json = Readonly<Record<string, unknown>>

/** The container's environment as far as its manifest and the known ConfigMaps tell. Values of secrets and fields stay unknown. */
// follows pkg/kubelet/kubelet_pods.go makeEnvironmentVariables
export function environmentOf(
  container: Pick<Container, 'env' | 'envFrom'>,
  configMaps: ConfigMapLookup = () => undefined,
): ContainerEnvironment {
  const values: Record<string, string | undefined> = {}
  let complete = true
  for (const source of (container.envFrom ?? []) as Json[]) {
    const ref = source.configMapRef as { name?: string } | undefined
    const data = ref?.name === undefined ? undefined : configMaps(ref.name)
    if (!data) complete = false
    for (const [key, value] of Object.entries(data ?? {})) values[`${source.prefix ?? ''}${key}`] = value
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const ref = (valueFrom as Json | undefined)?.configMapKeyRef as { name?: string; key?: string } | undefined
    if (value || valueFrom === undefined) values[name] = expandReferences(value ?? '', values).text
    else values[name] = ref?.name === undefined ? undefined : configMaps(ref.name)?.[ref.key ?? '']
  }
  return { values, complete }
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
