import type { Kube } from '../../kube/kube.ts'
import type { KubeObject } from '../../kube/objects.ts'
import type { Program } from '../../nodes/program.ts'
import { ms, seconds } from '../../world/time.ts'
import type { MetricFamily, Sample } from '../sample.ts'
import {
  endpointFamilies,
  hpaFamilies,
  namespaceFamilies,
  nodeFamilies,
  pdbFamilies,
  quotaFamilies,
  serviceFamilies,
} from './ksm/cluster.ts'
import type { Generator, GeneratorOptions, KindFamilies } from './ksm/generator.ts'
import { podFamilies } from './ksm/pods.ts'
import {
  daemonSetFamilies,
  deploymentFamilies,
  jobFamilies,
  replicaSetFamilies,
  statefulSetFamilies,
} from './ksm/workloads.ts'

const KINDS = [
  podFamilies,
  deploymentFamilies,
  replicaSetFamilies,
  statefulSetFamilies,
  daemonSetFamilies,
  jobFamilies,
  hpaFamilies,
  nodeFamilies,
  pdbFamilies,
  quotaFamilies,
  serviceFamilies,
  endpointFamilies,
  namespaceFamilies,
] as unknown as readonly KindFamilies[]

/** Every name kube-state-metrics can expose here. */
export const kubeStateMetricNames: ReadonlySet<string> = new Set(
  KINDS.flatMap(({ families }) => families.map(({ name }) => name)),
)

/**
 * kube-state-metrics: the state of objects as metrics, from its own lagging cache. What an object contributes is worked out when
 * it changes and is asked for, and kinds nobody asks for are not watched.
 */
export class KubeStateMetrics {
  private readonly kube: Kube
  private readonly options: GeneratorOptions
  private readonly stores = new Map<string, FamilyStore>()

  constructor(kube: Kube, options: Partial<GeneratorOptions> = {}) {
    this.kube = kube
    this.options = { labels: options.labels ?? {} }
  }

  /** The families with one of the names wanted; all without. */
  readonly families = (wanted?: ReadonlySet<string>): readonly MetricFamily[] =>
    KINDS.flatMap((kind) =>
      kind.families
        .filter(({ name }) => !wanted || wanted.has(name))
        .map((generator) => {
          let store = this.stores.get(generator.name)
          if (!store) {
            store = new FamilyStore(this.kube, kind, generator, this.options)
            this.stores.set(generator.name, store)
          }
          return store.family()
        }),
    )
}

/** One family over all objects of its kind. */
class FamilyStore {
  private readonly kind: KindFamilies
  private readonly generator: Generator<KubeObject>
  private readonly options: GeneratorOptions
  /** By uid, in the order in which objects came. */
  private readonly samples = new Map<string, { readonly object: KubeObject; samples?: readonly Sample[] }>()
  private current: MetricFamily | undefined

  constructor(kube: Kube, kind: KindFamilies, generator: Generator<KubeObject>, options: GeneratorOptions) {
    this.kind = kind
    this.generator = generator
    this.options = options
    const put = (object: KubeObject) => {
      this.samples.set(object.metadata.uid, { object })
      this.current = undefined
    }
    const take = (object: KubeObject) => {
      this.samples.delete(object.metadata.uid)
      this.current = undefined
    }
    kube.watch(kind.kind, {
      added: put,
      updated: (before, after) => {
        if (before.metadata.uid !== after.metadata.uid) take(before)
        put(after)
      },
      deleted: take,
    })
  }

  family(): MetricFamily {
    if (this.current) return this.current
    const samples: Sample[] = []
    for (const entry of this.samples.values()) {
      entry.samples ??= this.render(entry.object)
      samples.push(...entry.samples)
    }
    const { name, help, type } = this.generator
    this.current = { name, help, type, samples }
    return this.current
  }

  private render(object: KubeObject): readonly Sample[] {
    const base = Object.entries(this.kind.base(object))
    const { name } = this.generator
    return this.generator.values(object, this.options).flatMap(([own, value]): Sample[] => {
      if (value === undefined) return []
      const labels = [...base, ...Object.entries(own)].sort(([a], [b]) => (a < b ? -1 : 1))
      return [{ name, labels, value }]
    })
  }
}

/** What a container of kube-state-metrics was told by its arguments. */
export function kubeStateMetricsArguments(args: readonly string[]): {
  port: number
  labels: GeneratorOptions['labels']
} {
  const flagValue = (flag: string) => {
    const i = args.findIndex((arg) => arg === flag || arg.startsWith(`${flag}=`))
    if (i < 0) return undefined
    return args[i] === flag ? args[i + 1] : args[i]!.slice(flag.length + 1)
  }
  const labels = Object.fromEntries(
    [...(flagValue('--metric-labels-allowlist') ?? '').matchAll(/([^=,[\]]+)=\[([^\]]*)\]/g)].map(([, kind, list]) => [
      kind!,
      list!.split(',').filter((key) => key !== ''),
    ]),
  )
  return { port: Number(flagValue('--port') ?? 8080), labels }
}

/** The program of a container that runs kube-state-metrics. `kubeOf` makes the client of its process. */
export function kubeStateMetricsProgram(kubeOf: () => Kube): Program {
  return {
    name: 'kube-state-metrics',
    start({ clock, container, exit }) {
      const { port, labels } = kubeStateMetricsArguments([...(container.command ?? []), ...(container.args ?? [])])
      const listensAt = clock.now + seconds(1)
      const metrics = new KubeStateMetrics(kubeOf(), { labels })
      let over = false
      const accepts = (p: number) => (p === port || p === port + 1) && !over && clock.now >= listensAt
      return {
        accepts,
        httpGet: (p) => (accepts(p) ? { kind: 'answer', status: 200, afterUs: ms(5) } : { kind: 'refused' }),
        exposition: (p, path, wanted) => {
          if (!accepts(p) || path !== '/metrics') return undefined
          return p === port ? metrics.families(wanted) : []
        },
        signal: (signal) => {
          if (!over && signal === 'SIGTERM') clock.after(ms(100), () => exit(0))
          over = true
        },
      }
    },
  }
}
