import type { Task } from '../../world/actor.ts'
import type { Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { Kind } from '../kinds.ts'
import type { Kube } from '../kube.ts'
import type * as o from '../objects.ts'

/** A cluster to try a Kube on: empty but for one namespace. */
export interface Place {
  readonly world: World
  readonly namespace: string
  /** The view of one more process, in step with the server for these kinds. */
  kube(process: string, ...kinds: readonly Kind[]): Promise<Kube>
  /** Runs a task to its end, moving time as needed. */
  run<T>(task: Task<T>): Promise<T>
  /** Moves time on until the condition holds; fails when it does not within `within`. */
  until(condition: () => boolean, within: Us): Promise<void>
  close(): Promise<void>
}

export const podSpec = (): o.PodSpec =>
  ({ containers: [{ name: 'main', image: 'example.com/main:1' }] }) as unknown as o.PodSpec

const meta = (place: Place, name: string, more: Partial<o.ObjectMeta> = {}) => ({
  ...more,
  name,
  namespace: place.namespace,
})

export const configMap = (place: Place, name: string, data: Record<string, string>, more?: Partial<o.ObjectMeta>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: meta(place, name, more),
  data,
})

export const pod = (place: Place, name: string, more?: Partial<o.ObjectMeta>) => ({
  apiVersion: 'v1',
  kind: 'Pod' as const,
  metadata: meta(place, name, more),
  spec: podSpec(),
})

export const replicaSet = (place: Place, name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet' as const,
  metadata: meta(place, name),
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec() },
  },
})
