import { Journal } from '../journal/journal.ts'
import { Deployment, Node, Pod, Service } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { VirtualClock } from '../world/clock.ts'
import { createWorld } from '../world/world.ts'
import { Store } from './store.ts'

/** A store with all strategies, its clock and its journal. For tests. */
export function testStore(options: { seed?: number; watchHistory?: number } = {}) {
  const clock = new VirtualClock()
  const journal = new Journal(clock)
  const world = createWorld({ clock, seed: options.seed ?? 1, journal })
  const store = new Store({ world, watchHistory: options.watchHistory })
  return {
    clock,
    journal,
    store,
    pod: (name: string, spec: object = {}, metadata: object = {}): o.Pod =>
      store.create(
        Pod,
        draft({ name, ...metadata }, { containers: [{ name: 'main', image: 'app:1' }], ...spec }),
        'test',
      ),
    deployment: (name: string, spec: object = {}): o.Deployment =>
      store.create(Deployment, draft({ name }, { ...deploymentSpec, ...spec }), 'test'),
    service: (name: string, spec: object = {}): o.Service =>
      store.create(Service, draft({ name }, { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec }), 'test'),
  }
}

/** Metadata and spec as a client sends them: nothing defaulted. */
export const draft = (metadata: object, spec: object): never => ({ metadata, spec }) as never

export const deploymentSpec = {
  selector: { matchLabels: { app: 'web' } },
  template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'app:1' }] } },
}

/** Adds a node as it is when the node lifecycle controller, which is not there, has seen it Ready: without the taint of new ones. */
export function addReadyNode(store: Store, node: o.Node): o.Node {
  const made = store.create(Node, node, 'test')
  return store.update(Node, { ...made, spec: { ...made.spec, taints: node.spec.taints ?? [] } }, 'test')
}
