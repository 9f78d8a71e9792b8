import type { JournalRecord, RequestRecord } from '../../sandbox/journal/record.ts'
import { Node, Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { Change } from '../objects-view.ts'
import { isOf, type Subject } from '../subject.ts'
import { busyTime, type Cost, costOf, type GpuTime } from './cost.ts'
import type { GpuPrices } from './prices.ts'

/** A fold over the journal that says what a trial's nodes cost. */
export interface CostMeter {
  record(record: JournalRecord, change: Change | undefined): void
  /** What it came to up to `now`; undefined where there are no GPUs. */
  result(now: Us): Cost | undefined
}

const PRODUCT = 'nvidia.com/gpu.product'
/** A container's whole GPUs by the names of their device plugins. */
const GPU_RESOURCES = ['nvidia.com/gpu', 'amd.com/gpu'] as const

interface Held {
  readonly product: string
  readonly gpus: number
  readonly ofSubject: boolean
}

/**
 * Counts the time of GPUs on nodes that exist, of those that pods hold, and of those whose server had a request, from the phase `timeline`
 * on: until then a platform only comes up.
 */
export function costMeter({ subject, prices }: { subject: Subject; prices: GpuPrices }): CostMeter {
  const nodes = new Map<string, { product: string; gpus: number }>()
  const pods = new Map<string, Held>()
  let requests: RequestRecord[] = []
  let times = new Map<string, GpuTime>()
  let counted: Us = 0
  let fromUs: Us = 0

  const countUp = (now: Us) => {
    const elapsed = now - counted
    counted = now
    if (elapsed <= 0) return
    for (const { product, gpus } of nodes.values()) timeOf(times, product).existingUs += gpus * elapsed
    for (const { product, gpus, ofSubject } of pods.values()) {
      const time = timeOf(times, product)
      time.allocatedUs += gpus * elapsed
      if (ofSubject) time.subjectUs += gpus * elapsed
    }
  }
  const takeNode = (key: string, node: o.Node | undefined) => {
    const gpus = node && gpusIn(node.status.capacity)
    if (node && gpus) nodes.set(key, { product: node.metadata.labels?.[PRODUCT] ?? 'GPU', gpus })
    else nodes.delete(key)
  }
  const takePod = (key: string, pod: o.Pod | undefined) => {
    const gpus = pod && isHolding(pod) ? gpusOfPod(pod) : 0
    const product = pod && nodes.get(pod.spec.nodeName ?? '')?.product
    if (pod && gpus > 0 && product !== undefined) pods.set(key, { product, gpus, ofSubject: isOf(subject, pod) })
    else pods.delete(key)
  }
  return {
    record(record, change) {
      if (record.type === 'phase' && record.phase === 'timeline') {
        countUp(record.at)
        fromUs = record.at
        times = new Map()
        requests = []
      } else if (record.type === 'request' && record.target === subject.key) requests.push(record)
      else if (change?.kind === Node.id && isCapacityChange(change)) {
        countUp(record.at)
        takeNode(change.key, change.after as o.Node | undefined)
      } else if (change?.kind === Pod.id && isHoldChange(change)) {
        countUp(record.at)
        takePod(change.key, change.after as o.Pod | undefined)
      }
    },
    result(now) {
      countUp(now)
      if (times.size === 0 || now <= fromUs) return undefined
      return costOf({
        durationUs: now - fromUs,
        times,
        busyUs: busyTime(requests, fromUs, now) * subject.gpus,
        outputTokens: requests.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
        prices,
      })
    },
  }
}

function timeOf(times: Map<string, GpuTime>, product: string): GpuTime {
  let time = times.get(product)
  if (!time) {
    time = { existingUs: 0, allocatedUs: 0, subjectUs: 0 }
    times.set(product, time)
  }
  return time
}

/** Kubelets report their nodes every few seconds; only few reports change what is there. */
const isCapacityChange = ({ before, after }: Change): boolean =>
  !before ||
  !after ||
  gpusIn((before as o.Node).status.capacity) !== gpusIn((after as o.Node).status.capacity) ||
  before.metadata.labels?.[PRODUCT] !== after.metadata.labels?.[PRODUCT]

const isHoldChange = ({ before, after }: Change): boolean =>
  (before !== undefined && isHolding(before as o.Pod)) !== (after !== undefined && isHolding(after as o.Pod))

/** The kubelet keeps a pod's devices from when it is bound to when it has ended. */
const isHolding = ({ spec, status }: o.Pod): boolean =>
  Boolean(spec.nodeName) && status.phase !== 'Succeeded' && status.phase !== 'Failed'

const gpusIn = (resources: Readonly<Record<string, string>> | undefined): number =>
  GPU_RESOURCES.reduce((sum, name) => sum + Number(resources?.[name] ?? 0), 0)

const gpusOfPod = ({ spec }: o.Pod): number =>
  spec.containers.reduce(
    (sum, { resources }) =>
      sum + gpusIn((resources?.limits ?? resources?.requests) as Record<string, string> | undefined),
    0,
  )
