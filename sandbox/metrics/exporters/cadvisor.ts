import type { Pod } from '../../kube/objects.ts'
import { milliValueOf, parseQuantity, wholeValueOf } from '../../kube/quantity.ts'
import { EPOCH_MS, toSeconds } from '../../world/time.ts'
import type { MetricFamily, Sample } from '../sample.ts'
import type { ContainerPoint } from './housekeeping.ts'

type Labels = Sample['labels']

interface Subject {
  readonly labels: Labels
  readonly point: Measured
}

interface Measured {
  readonly at: number
  readonly cpuSeconds: number
  readonly memoryBytes: number
  readonly startedAt: number
  /** CPU in cores and memory in bytes; undefined: no limit. */
  readonly limits: { readonly cpu?: number; readonly memory?: number }
  readonly requestCpu: number
}

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly value: (point: Measured) => number | undefined
  /** Of single containers alone. */
  readonly containersOnly?: boolean
}

const PERIOD_US = 100_000

/** Of metrics/prometheus.go of google/cadvisor; the families whose values the sandbox has. */
const FAMILIES: readonly Family[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed in seconds.',
    type: 'counter',
    value: (p) => p.cpuSeconds,
  },
  {
    name: 'container_memory_usage_bytes',
    help: 'Current memory usage in bytes, including all memory regardless of when it was accessed',
    type: 'gauge',
    value: (p) => p.memoryBytes,
  },
  {
    name: 'container_memory_working_set_bytes',
    help: 'Current working set in bytes.',
    type: 'gauge',
    value: (p) => p.memoryBytes,
  },
  { name: 'container_memory_rss', help: 'Size of RSS in bytes.', type: 'gauge', value: (p) => p.memoryBytes },
  {
    name: 'container_start_time_seconds',
    help: 'Start time of the container since unix epoch in seconds.',
    type: 'gauge',
    value: (p) => EPOCH_MS / 1e3 + Math.floor(toSeconds(p.startedAt)),
  },
  {
    name: 'container_last_seen',
    help: 'Last time a container was seen by the exporter',
    type: 'gauge',
    value: (p) => EPOCH_MS / 1e3 + Math.floor(toSeconds(p.at)),
  },
  { name: 'container_spec_cpu_period', help: 'CPU period of the container.', type: 'gauge', value: () => PERIOD_US },
  {
    name: 'container_spec_cpu_quota',
    help: 'CPU quota of the container.',
    type: 'gauge',
    value: (p) => (p.limits.cpu === undefined ? undefined : p.limits.cpu * PERIOD_US),
  },
  {
    name: 'container_spec_cpu_shares',
    help: 'CPU share of the container.',
    type: 'gauge',
    value: (p) => Math.max(2, Math.floor(p.requestCpu * 1024)),
  },
  {
    name: 'container_spec_memory_limit_bytes',
    help: 'Memory limit for the container.',
    type: 'gauge',
    value: (p) => p.limits.memory ?? 0,
  },
]

export const cadvisorMetricNames: ReadonlySet<string> = new Set(FAMILIES.map(({ name }) => name))

/**
 * `/metrics/cadvisor` of a kubelet. Besides each container there is a series for its pod's cgroup, without container, image and
 * name, which counts the same usage again: who sums must leave it out. Samples carry the time they were measured at.
 */
export function cadvisorFamilies(points: readonly ContainerPoint[], wanted?: ReadonlySet<string>): MetricFamily[] {
  const families = FAMILIES.filter(({ name }) => !wanted || wanted.has(name))
  if (families.length === 0) return []
  const subjects = [...points.map(containerSubject), ...podSubjects(points)]
  return families.map(({ name, help, type, value }) => ({
    name,
    help,
    type,
    samples: subjects.flatMap(({ labels, point }): Sample[] => {
      const number = value(point)
      if (number === undefined) return []
      // these two are not measured with the rest, and have no time of their own
      const timeless = name.startsWith('container_spec_') || name === 'container_start_time_seconds'
      return [timeless ? { name, labels, value: number } : { name, labels, value: number, at: point.at }]
    }),
  }))
}

const cached = new WeakMap<Pod, Map<string, Labels>>()

/** The same list for the same container, so that a scrape knows it again. */
function labelsOf(pod: Pod, key: string, make: () => Record<string, string>): Labels {
  let known = cached.get(pod)
  if (!known) {
    known = new Map()
    cached.set(pod, known)
  }
  let labels = known.get(key)
  if (!labels) {
    labels = Object.entries(make()).sort(([a], [b]) => (a < b ? -1 : 1))
    known.set(key, labels)
  }
  return labels
}

function containerSubject({ stats, at }: ContainerPoint): Subject {
  const { pod, container, id, image } = stats
  const hex = id.replace(/^\w+:\/\//, '')
  const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((c) => c.name === container)
  const limits = spec?.resources?.limits ?? {}
  return {
    labels: labelsOf(pod, id, () => ({
      container,
      id: `${cgroupOf(pod)}/${hex}`,
      image,
      name: hex,
      namespace: pod.metadata.namespace ?? '',
      pod: pod.metadata.name,
    })),
    point: {
      at,
      cpuSeconds: stats.cpuSeconds,
      memoryBytes: stats.memoryBytes,
      startedAt: stats.startedAt,
      limits: {
        ...(limits.cpu ? { cpu: milliValueOf(parseQuantity(limits.cpu)) / 1e3 } : {}),
        ...(limits.memory ? { memory: wholeValueOf(parseQuantity(limits.memory)) } : {}),
      },
      requestCpu: milliValueOf(parseQuantity(spec?.resources?.requests?.cpu ?? '0')) / 1e3,
    },
  }
}

/** The cgroup of each pod: the sum of its running containers. */
function podSubjects(points: readonly ContainerPoint[]): Subject[] {
  const byPod = new Map<string, { pod: Pod; points: Measured[] }>()
  for (const point of points) {
    const { pod } = point.stats
    const entry = byPod.get(pod.metadata.uid) ?? { pod, points: [] }
    entry.points.push(containerSubject(point).point)
    byPod.set(pod.metadata.uid, entry)
  }
  return [...byPod.values()].map(({ pod, points: own }) => ({
    labels: labelsOf(pod, '', () => ({
      id: cgroupOf(pod),
      namespace: pod.metadata.namespace ?? '',
      pod: pod.metadata.name,
    })),
    point: sum(own),
  }))
}

function sum(points: readonly Measured[]): Measured {
  const total = (of: (point: Measured) => number) => points.reduce((s, point) => s + of(point), 0)
  const limit = (of: (point: Measured) => number | undefined) =>
    points.some((p) => of(p) === undefined) ? undefined : total((p) => of(p)!)
  const cpu = limit((p) => p.limits.cpu)
  const memory = limit((p) => p.limits.memory)
  return {
    at: points[0]!.at,
    cpuSeconds: total((p) => p.cpuSeconds),
    memoryBytes: total((p) => p.memoryBytes),
    startedAt: Math.min(...points.map((p) => p.startedAt)),
    limits: { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) },
    requestCpu: total((p) => p.requestCpu),
  }
}

/** Where systemd puts a pod. Follows pkg/kubelet/cm/pod_container_manager_linux.go. */
function cgroupOf({ metadata, status }: Pod): string {
  const uid = metadata.uid.replaceAll('-', '_')
  const { qosClass } = status
  if (qosClass === 'Guaranteed' || qosClass === undefined) return `/kubepods.slice/kubepods-pod${uid}.slice`
  const qos = qosClass.toLowerCase()
  return `/kubepods.slice/kubepods-${qos}.slice/kubepods-${qos}-pod${uid}.slice`
}
