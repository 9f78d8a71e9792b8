import { isMap } from '../platform/roles/pod-templates.ts'

/** What an Argo CD or Flux object deploys from, as it says it. */
export interface DeployedSource {
  /** A path in a git repository. */
  readonly path?: string
  /** A chart of a registry or an artifact, and where it is. */
  readonly remote?: string
  readonly release: string
  readonly namespace?: string
  /** Relative to the path. */
  readonly valueFiles: readonly string[]
  /** `a.b=c`. */
  readonly set: readonly string[]
  /** What of its settings no command line can say. */
  readonly lost: readonly string[]
}

/** A map at a path of an object, empty where there is none. */
export function mapAt(value: unknown, ...path: readonly string[]): Readonly<Record<string, unknown>> {
  let node = value
  for (const part of path) node = isMap(node) ? node[part] : undefined
  return isMap(node) ? node : {}
}
