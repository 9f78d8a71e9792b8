import { Pod } from '../../kube/kinds.ts'
import type { Kube, ListFilter } from '../../kube/kube.ts'
import type { LabelSelector } from '../../kube/objects.ts'
import { sleep, type Task } from '../../world/actor.ts'
import { ms, seconds } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { Querier } from '../querier.ts'
import type { NamedPodUsage } from '../resource/metrics-server.ts'
import { parsePrometheusDuration } from '../scrape/duration.ts'
import type { AdapterConfig, ResourceRule } from './config.ts'
import { resourceFor } from './group-resource.ts'
import type { ResourceBackend } from './metrics-client.ts'
import { namerOf } from './namer.ts'

export interface AdapterResourcesOptions {
  readonly world: World
  readonly kube: Kube
  readonly querier: Querier
  readonly rules: NonNullable<AdapterConfig['resourceRules']>
}

/** metrics.k8s.io served by prometheus-adapter: a pod has metrics when both queries tell of it. */
// follows pkg/resourceprovider/provider.go of kubernetes-sigs/prometheus-adapter
export function adapterResources({ world, kube, querier, rules }: AdapterResourcesOptions): ResourceBackend {
  const cpu = containerQuery(rules.cpu)
  const memory = containerQuery(rules.memory)
  const windowUs = parsePrometheusDuration(rules.window) ?? seconds(60)
  function* ask(query: ReturnType<typeof containerQuery>, namespace: string, names: readonly string[]) {
    const { expr, pod, container } = query(namespace, names)
    const result = querier.instant(expr, world.clock.now)
    if (result.type !== 'vector') throw new Error(`invalid or empty value of non-vector type (${result.type}) returned`)
    const byPod = new Map<string, Map<string, number>>()
    for (const { labels, value } of result.samples) {
      const containers = byPod.get(labels[pod] ?? '') ?? new Map<string, number>()
      containers.set(labels[container] ?? '', Number.isNaN(value) || value < 0 ? 0 : value)
      byPod.set(labels[pod] ?? '', containers)
    }
    yield* sleep(ms(5))
    return byPod
  }
  const running = (filter: ListFilter) => kube.list(Pod, filter).filter((pod) => pod.status.phase === 'Running')
  return {
    *list(namespace: string, selector: LabelSelector): Task<readonly NamedPodUsage[]> {
      if (namespace === '') {
        const spaces = new Set(running({ selector }).map(({ metadata }) => metadata.namespace ?? 'default'))
        const lists: NamedPodUsage[] = []
        for (const one of [...spaces].sort()) lists.push(...(yield* this.list(one, selector) as Task<NamedPodUsage[]>))
        return lists
      }
      const pods = running({ namespace, selector })
      const names = pods.map((pod) => pod.metadata.name).sort()
      if (names.length === 0) return []
      let used: readonly Map<string, Map<string, number>>[]
      const at = world.clock.now
      try {
        used = [yield* ask(cpu, namespace, names), yield* ask(memory, namespace, names)]
      } catch {
        // a namespace that cannot be queried has no metrics
        return []
      }
      return names.flatMap((name): NamedPodUsage[] => {
        const [cores, bytes] = used.map((byPod) => byPod.get(name))
        if (!cores || !bytes) return []
        const containers = [...new Set([...cores.keys(), ...bytes.keys()])].map((container) => {
          const milli = Math.trunc((cores.get(container) ?? 0) * 1000)
          return [container, { cpuNanos: milli * 1e6, memoryBytes: Math.trunc(bytes.get(container) ?? 0) }] as const
        })
        return [{ namespace, name, at, windowUs, containers: new Map(containers) }]
      })
    },
  }
}

/** The query for the containers of some pods, and the labels that name pod and container. */
function containerQuery({ containerQuery: metricsQuery, resources, containerLabel }: ResourceRule) {
  const pods = resourceFor('pods')!
  const namer = namerOf({ seriesQuery: '', seriesFilters: [], resources, name: {}, metricsQuery })
  return (namespace: string, names: readonly string[]) => ({
    expr: namer.query('', pods, namespace, undefined, names, [containerLabel]),
    pod: namer.labelFor(pods),
    container: containerLabel,
  })
}
