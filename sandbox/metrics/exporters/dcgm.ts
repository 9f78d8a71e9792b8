import type { ContainerStats } from '../../nodes/container-stats.ts'
import type { GpuUsage } from '../../nodes/program.ts'
import type { Clock, Timer } from '../../world/clock.ts'
import type { RandomStream } from '../../world/random.ts'
import { seconds, toSeconds, type Us } from '../../world/time.ts'
import type { MetricFamily, Sample } from '../sample.ts'

/** The GPUs of one node, as the exporter on it sees them. */
export interface GpuNode {
  readonly name: string
  /** As GPU feature discovery names it: `NVIDIA-H100-80GB-HBM3`. */
  readonly product: string
  readonly memoryBytes: number
  /** Ids, in order. */
  readonly gpus: readonly string[]
  containerStats(): readonly ContainerStats[] | undefined
  /** The last Xid of a GPU; 0 or left out: none. */
  xidOf?(gpu: string): number
}

export interface DcgmExporterOptions {
  readonly clock: Clock
  readonly random: RandomStream
  readonly node: GpuNode
  /** `--collect-interval`. Default 30 s. */
  readonly collectIntervalUs?: Us
}

/** dcgm-exporter's default `--collect-interval`. */
const COLLECT = seconds(30)
/** NVML's utilisation is of the last sample period, a second at most. */
const SAMPLE_PERIOD = seconds(1)

/** Board power and boost clock by product: from NVIDIA's datasheets; of others an accelerator of middling size is taken. */
const BOARDS: readonly (readonly [RegExp, { readonly watts: number; readonly mhz: number }])[] = [
  [/B200/, { watts: 1000, mhz: 1965 }],
  [/H[12]00/, { watts: 700, mhz: 1980 }],
  [/A100/, { watts: 400, mhz: 1410 }],
  [/L40S/, { watts: 350, mhz: 2520 }],
  [/RTX-PRO-6000/, { watts: 600, mhz: 2617 }],
  [/A10G/, { watts: 300, mhz: 1710 }],
  [/\bL4\b/, { watts: 72, mhz: 2040 }],
  [/T4/, { watts: 70, mhz: 1590 }],
]
const OTHER_BOARD = { watts: 300, mhz: 1700 }
/** Of board power at rest with a context open. */
const IDLE_SHARE = 0.12
const COOL_CELSIUS = 32
const WARM_BY_CELSIUS = 43

/** Of one GPU over one collection. */
interface Reading {
  readonly gpuUtil: number
  readonly busyShare: number
  readonly tensorShare: number
  readonly dramShare: number
  readonly usedBytes: number
  readonly holder: { readonly namespace: string; readonly pod: string; readonly container: string } | undefined
}

type Field = readonly [name: string, help: string, type: 'gauge' | 'counter', value: (r: Reading, e: Board) => number]

interface Board {
  readonly watts: number
  readonly mhz: number
  readonly memoryBytes: number
  readonly xid: number
}

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)
const percent = (share: number): number => Math.round(Math.min(1, share) * 100)

/** How hard the board works, 0 to 1: assumed half of it by having kernels at all, the rest by what they do. */
const effort = (r: Reading): number => Math.min(1, 0.35 * r.busyShare + 0.4 * r.dramShare + 0.6 * r.tensorShare)
const watts = (r: Reading, b: Board): number => b.watts * Math.min(1, IDLE_SHARE + (1 - IDLE_SHARE) * effort(r))

// names, texts and types of etc/default-counters.csv and etc/dcp-metrics-included.csv of NVIDIA/dcgm-exporter
const FIELDS: readonly Field[] = [
  ['DCGM_FI_DEV_SM_CLOCK', 'SM clock frequency (in MHz).', 'gauge', (r, b) => (r.busyShare > 0 ? b.mhz : 345)],
  [
    'DCGM_FI_DEV_GPU_TEMP',
    'GPU temperature (in C).',
    'gauge',
    (r) => Math.round(COOL_CELSIUS + WARM_BY_CELSIUS * effort(r)),
  ],
  ['DCGM_FI_DEV_POWER_USAGE', 'Power draw (in W).', 'gauge', (r, b) => Math.round(watts(r, b) * 1e3) / 1e3],
  ['DCGM_FI_DEV_GPU_UTIL', 'GPU utilization (in %).', 'gauge', (r) => percent(r.gpuUtil)],
  ['DCGM_FI_DEV_MEM_COPY_UTIL', 'Memory utilization (in %).', 'gauge', (r) => percent(r.dramShare)],
  ['DCGM_FI_DEV_XID_ERRORS', 'Value of the last XID error encountered.', 'gauge', (_r, b) => b.xid],
  ['DCGM_FI_DEV_FB_FREE', 'Framebuffer memory free (in MiB).', 'gauge', (r, b) => mib(b.memoryBytes - r.usedBytes)],
  ['DCGM_FI_DEV_FB_USED', 'Framebuffer memory used (in MiB).', 'gauge', (r) => mib(r.usedBytes)],
  ['DCGM_FI_PROF_GR_ENGINE_ACTIVE', 'Ratio of time the graphics engine is active.', 'gauge', (r) => r.busyShare],
  [
    'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE',
    'Ratio of cycles the tensor (HMMA) pipe is active.',
    'gauge',
    (r) => r.tensorShare,
  ],
  [
    'DCGM_FI_PROF_DRAM_ACTIVE',
    'Ratio of cycles the device memory interface is active sending or receiving data.',
    'gauge',
    (r) => r.dramShare,
  ],
]

export const dcgmMetricNames: ReadonlySet<string> = new Set(FIELDS.map(([name]) => name))

/**
 * dcgm-exporter on one node. `GPU_UTIL` is the share of the last second in which any kernel ran, so a GPU whose engine steps at all
 * stands near 100 however little it does; the `PROF` families tell how hard it works, over a collection. A GPU held by a pod has
 * labels that say so, as with the kubelet's pod-resources socket.
 */
export class DcgmExporter {
  private readonly options: DcgmExporterOptions
  private readonly board: { readonly watts: number; readonly mhz: number }
  private readonly labels = new Map<string, Sample['labels']>()
  private before = new Map<string, GpuUsage>()
  private aSecondAgo = new Map<string, GpuUsage>()
  private readings: ReadonlyMap<string, Reading> | undefined
  private timer: Timer | undefined

  constructor(options: DcgmExporterOptions) {
    this.options = options
    const { clock, random, node } = options
    this.board = BOARDS.find(([pattern]) => pattern.test(node.product))?.[1] ?? OTHER_BOARD
    const interval = options.collectIntervalUs ?? COLLECT
    this.timer = clock.after(random.int(interval), () => this.sample(interval))
  }

  stop(): void {
    this.timer?.cancel()
  }

  /** What a scrape gets: the last collection. Nothing before the first, `'down'` when the node is. */
  families(wanted?: ReadonlySet<string>): readonly MetricFamily[] | 'down' {
    const { node } = this.options
    if (node.containerStats() === undefined) return 'down'
    if (!this.readings) return []
    return FIELDS.filter(([name]) => !wanted || wanted.has(name)).map(([name, help, type, value]) => ({
      name,
      help,
      type,
      samples: node.gpus.map((gpu, index) => {
        const reading = this.readings!.get(gpu)!
        const board = { ...this.board, memoryBytes: node.memoryBytes, xid: node.xidOf?.(gpu) ?? 0 }
        return { name, labels: this.labelsOf(gpu, index, reading), value: value(reading, board) }
      }),
    }))
  }

  /** The first of two looks at the counters, a second apart. */
  private sample(interval: Us): void {
    this.aSecondAgo = this.usage()
    this.timer = this.options.clock.after(SAMPLE_PERIOD, () => this.collect(interval))
  }

  private collect(interval: Us): void {
    const { node } = this.options
    const holders = this.holders()
    const now = this.usage()
    const share = (
      gpu: string,
      since: ReadonlyMap<string, GpuUsage>,
      of: (u: GpuUsage) => number,
      over: Us,
    ): number => {
      const current = now.get(gpu)
      if (!current) return 0
      const then = since.get(gpu)
      // a counter that went back belongs to another container
      const spent = then && of(then) <= of(current) ? of(current) - of(then) : of(current)
      return Math.min(1, spent / toSeconds(over))
    }
    this.readings = new Map(
      node.gpus.map((gpu) => [
        gpu,
        {
          gpuUtil: share(gpu, this.aSecondAgo, (u) => u.busySeconds, SAMPLE_PERIOD),
          busyShare: share(gpu, this.before, (u) => u.busySeconds, interval),
          tensorShare: share(gpu, this.before, (u) => u.tensorSeconds, interval),
          dramShare: share(gpu, this.before, (u) => u.dramSeconds, interval),
          usedBytes: now.get(gpu)?.memoryBytes ?? 0,
          holder: holders.get(gpu),
        },
      ]),
    )
    this.before = now
    this.timer = this.options.clock.after(interval - SAMPLE_PERIOD, () => this.sample(interval))
  }

  private usage(): Map<string, GpuUsage> {
    const out = new Map<string, GpuUsage>()
    for (const { devices, gpu } of this.options.node.containerStats() ?? [])
      if (gpu) for (const device of devices) out.set(device, gpu)
    return out
  }

  private holders(): Map<string, NonNullable<Reading['holder']>> {
    const out = new Map<string, NonNullable<Reading['holder']>>()
    for (const { devices, pod, container } of this.options.node.containerStats() ?? [])
      for (const device of devices)
        out.set(device, { namespace: pod.metadata.namespace ?? '', pod: pod.metadata.name, container })
    return out
  }

  private labelsOf(gpu: string, index: number, { holder }: Reading): Sample['labels'] {
    const key = `${gpu} ${holder ? `${holder.namespace}/${holder.pod}/${holder.container}` : ''}`
    let labels = this.labels.get(key)
    if (!labels) {
      const { node } = this.options
      labels = Object.entries({
        Hostname: node.name,
        UUID: gpu,
        ...(holder ?? {}),
        device: `nvidia${index}`,
        gpu: String(index),
        modelName: node.product.replaceAll('-', ' '),
        pci_bus_id: `00000000:${(0x10 + index).toString(16).toUpperCase()}:00.0`,
      }).sort(([a], [b]) => (a < b ? -1 : 1))
      this.labels.set(key, labels)
    }
    return labels
  }
}
