import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What one run of a case came to, by names with units. All have `wallS`; those that measure themselves have `cpuS` and `peakRssMiB`. */
export type Figures = Readonly<Record<string, number>>

/** Something measured: a command, run in a process of its own each time. */
export interface Case {
  readonly name: string
  readonly says: string
  readonly runs: number
  /** The Node to run it with, and its arguments. */
  readonly command: readonly string[]
  /** The command's last line of output is its figures, as JSON; otherwise only how long it took is known. */
  readonly measuresItself: boolean
  /** What is printed, from one run's figures. */
  readonly rows: readonly Row[]
}

export interface Row {
  readonly what: string
  readonly of: (figures: Figures) => number
  readonly digits: number
}

const COST: readonly Row[] = [
  { what: 'wall s', of: ({ wallS }) => wallS!, digits: 2 },
  { what: 'CPU s', of: ({ cpuS }) => cpuS!, digits: 2 },
  { what: 'peak RSS, MiB', of: ({ peakRssMiB }) => peakRssMiB!, digits: 0 },
]
const COLD_AND_WARM: readonly Row[] = [
  ...COST.slice(0, 2),
  { what: 'CPU s, third in its process', of: ({ warmCpuS }) => warmCpuS!, digits: 2 },
  ...COST.slice(2),
]
const WALL = COST.slice(0, 1)
const FINE_WALL: readonly Row[] = [{ ...COST[0]!, digits: 3 }]
const cluster: readonly Row[] = [
  ...COLD_AND_WARM,
  { what: 'simulated s', of: ({ simulatedS }) => simulatedS!, digits: 0 },
  { what: 'clock events', of: ({ events }) => events!, digits: 0 },
  { what: 'journal records', of: ({ records }) => records!, digits: 0 },
]

const node = process.execPath
const old = olderNode()

export const cases: readonly Case[] = [
  {
    name: 'drill',
    says: '30 min of 20 requests/s on 4 replicas of an 8B model, a whole trial',
    runs: 5,
    command: [node, 'harness/bench/drill.bench.ts'],
    measuresItself: true,
    rows: [
      { what: 'simulated s per wall s', of: ({ simulatedS, wallS }) => simulatedS! / wallS!, digits: 0 },
      { what: 'simulated s per CPU s', of: ({ simulatedS, cpuS }) => simulatedS! / cpuS!, digits: 0 },
      ...COLD_AND_WARM,
    ],
  },
  {
    name: 'autoscaling',
    says: '30 min of 20 to 40 requests/s on 2 to 8 replicas by KEDA, Prometheus scraping every 15 s, a whole trial',
    runs: 5,
    command: [node, 'harness/bench/drill.bench.ts', 'autoscaling'],
    measuresItself: true,
    rows: [{ what: 'most replicas', of: ({ most }) => most!, digits: 0 }, ...COLD_AND_WARM],
  },
  {
    name: 'autoscaling-20',
    says: '30 min of 20 requests/s on average, 12 and 36 in bursts, on 2 to 8 replicas by KEDA, scrapes every 15 s, a whole trial',
    runs: 5,
    command: [node, 'harness/bench/drill.bench.ts', 'autoscaling-20'],
    measuresItself: true,
    rows: [{ what: 'most replicas', of: ({ most }) => most!, digits: 0 }, ...COLD_AND_WARM],
  },
  ...['default', 'raised-qps'].map((lag) => ({
    name: `cluster-${lag}`,
    says: `1,000 nodes of 8 GPUs, one Deployment of 4,000 replicas to all Ready, lag ${lag}, journal on`,
    runs: 3,
    command: [node, 'harness/bench/cluster.bench.ts', lag],
    measuresItself: true,
    rows: cluster,
  })),
  ...['exact', 'leap'].flatMap((driver) =>
    ['8', '32', '256'].map((batch) => ({
      name: `engine-${driver}-${batch}`,
      says: `the engine at batch ${batch}, driver ${driver}, all histograms`,
      runs: 5,
      command: [node, 'harness/bench/engine.bench.ts', batch, driver],
      measuresItself: true,
      rows: [{ what: 'M tokens per CPU s', of: ({ tokensPerCpuS }: Figures) => tokensPerCpuS! / 1e6, digits: 1 }],
    })),
  ),
  {
    name: 'load-sender',
    says: 'the HTTP sender of seatrial load: 500 streams at 20,000 tokens/s, and answers of one token as fast as they leave on time',
    runs: 3,
    command: [node, 'harness/bench/load/sender.bench.ts'],
    measuresItself: true,
    rows: [
      { what: 'CPU µs per token', of: ({ usPerToken }) => usPerToken!, digits: 1 },
      { what: 'CPU µs per request', of: ({ usPerRequest }) => usPerRequest!, digits: 0 },
      { what: 'requests/s on time', of: ({ maxPerSecond }) => maxPerSecond!, digits: 0 },
    ],
  },
  {
    name: 'help',
    says: `seatrial --help, Node ${process.versions.node} (goal < 0.15 s)`,
    runs: 20,
    command: [node, 'cli/bin.js', '--help'],
    measuresItself: false,
    rows: FINE_WALL,
  },
  ...(old
    ? [
        {
          name: 'help-reexec',
          says: `seatrial --help, Node ${old.version} that starts the one it comes with`,
          runs: 20,
          command: [old.path, 'cli/bin.js', '--help'],
          measuresItself: false,
          rows: FINE_WALL,
        },
      ]
    : []),
  {
    name: 'verify',
    says: 'seatrial verify fixtures/platforms/showcase',
    runs: 5,
    command: [node, 'cli/bin.js', 'verify', 'fixtures/platforms/showcase'],
    measuresItself: false,
    rows: WALL,
  },
]

/** The first `node` on the path that is too old to run the sources. */
function olderNode(): { path: string; version: string } | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    if (folder.includes('node_modules') || !existsSync(path)) continue
    const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim().slice(1)
    const [major = 0, minor = 0] = version.split('.').map(Number)
    if (major < 22 || (major === 22 && minor < 18)) return { path, version }
  }
  return undefined
}
