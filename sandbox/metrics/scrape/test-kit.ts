import { Store } from '../../apiserver/store.ts'
import { strategies } from '../../apiserver/strategies/index.ts'
import { Journal } from '../../journal/journal.ts'
import { kindOf, Pod } from '../../kube/kinds.ts'
import { instant, type LagProfile } from '../../kube/lag.ts'
import type { Draft, KubeObject, Pod as PodObject } from '../../kube/objects.ts'
import { StoreKube } from '../../kube/store-kube.ts'
import { VirtualClock } from '../../world/clock.ts'
import { ms, seconds, toSeconds } from '../../world/time.ts'
import { createWorld } from '../../world/world.ts'
import type { MetricFamily } from '../sample.ts'
import { Tsdb } from '../tsdb/tsdb.ts'
import type { ScrapeSource } from './config-source.ts'
import { ScrapeFaultBoard } from './faults.ts'
import type { ScrapeAnswer, ScrapeNetwork } from './network.ts'
import { Prometheus } from './prometheus.ts'

/** A store, a client over it, and a network whose answers a test gives by address and path. */
export function scrapeWorld(profile: LagProfile = instant) {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  const store = new Store({ world, strategies })
  const kube = new StoreKube({ world, store, profile, process: 'prometheus' })
  const tsdb = new Tsdb()
  const answers = new Map<string, () => ScrapeAnswer>()
  const asked: { address: string; path: string; at: number }[] = []
  const network: ScrapeNetwork = {
    get: ({ address, path }) => {
      asked.push({ address, path, at: toSeconds(clock.now) })
      return answers.get(`${address}${path}`)?.() ?? { kind: 'error', message: 'refused', afterUs: ms(1) }
    },
  }
  const faults = new ScrapeFaultBoard()
  return {
    clock,
    world,
    store,
    kube,
    tsdb,
    answers,
    asked,
    network,
    faults,
    at: (s: number) => clock.runUntil(seconds(s)),
    create: (object: unknown) => store.create(kindOf(object as KubeObject), object as Draft<KubeObject>, 'test'),
    /** A pod that runs and has an address. */
    pod: (
      name: string,
      ip: string,
      more: {
        labels?: Record<string, string>
        ports?: readonly object[]
        annotations?: Record<string, string>
        namespace?: string
      } = {},
    ) => {
      const {
        labels = { app: 'web' },
        namespace = 'default',
        ports = [{ name: 'http', containerPort: 8000 }],
        annotations,
      } = more
      const draft = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace, labels, ...(annotations ? { annotations } : {}) },
        spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'x', ports }] },
      } as unknown as Draft<PodObject>
      const made = store.create(Pod, draft, 'test')
      const status = { ...made.status, phase: 'Running' as const, podIP: ip, podIPs: [{ ip }] }
      return store.updateStatus(Pod, { ...made, status }, 'test')
    },
    prometheus: (source: ScrapeSource, wanted?: ReadonlySet<string>) =>
      new Prometheus({ world, kube, network, appender: tsdb, source, faults, ...(wanted ? { wanted } : {}) }),
    /** Series of a metric: their labels without the name, and their samples as [seconds, value]; `x` is a stale marker. */
    series: (name: string) =>
      tsdb
        .select([])
        .filter((series) => series.labels.get('__name__') === name)
        .map((series) => {
          const { __name__: _name, ...labels } = series.labels.record
          const samples: [number, number | 'x'][] = []
          for (let i = series.start; i < series.end; i++)
            samples.push([(series.timeMs(i) - tsdb.toMs(0)) / 1e3, series.isStale(i) ? 'x' : series.value(i)])
          return { labels, samples }
        }),
  }
}

/** One gauge with samples by label value. */
export const gauge = (name: string, values: Readonly<Record<string, number>>, label = 'a'): MetricFamily => ({
  name,
  help: '',
  type: 'gauge',
  samples: Object.entries(values).map(([value, number]) => ({
    name,
    labels: value === '' ? [] : [[label, value]],
    value: number,
  })),
})

export const answer = (...families: MetricFamily[]): ScrapeAnswer => ({ kind: 'families', families, afterUs: ms(2) })

/** Scrapes the pods with `app: web` in the default namespace by their port `http`. */
export const podMonitor = (more: object = {}, endpoint: object = {}) => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PodMonitor',
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { matchLabels: { app: 'web' } }, podMetricsEndpoints: [{ port: 'http', ...endpoint }], ...more },
})
