import type { MetricFamily, Sample } from '../../metrics/sample.ts'

/** What the families of Python's process depend on. */
export interface ProcessState {
  /** Unix seconds. */
  readonly startedAt: number
  readonly cpuSeconds: number
  /** Requests answered so far. */
  readonly requests: number
}

/** The `python_` and `process_` families of the API server's process alone, as upstream. */
// follows gc_collector.py, platform_collector.py and process_collector.py of prometheus_client
export function processFamilies({ startedAt, cpuSeconds, requests }: ProcessState): MetricFamily[] {
  const one = (name: string, help: string, value: number, type: MetricFamily['type'] = 'gauge'): MetricFamily => ({
    name,
    help,
    type,
    samples: [{ name, labels: NONE, value }],
  })
  return [
    generations('python_gc_objects_collected_total', 'Objects collected during gc', GC.collected, requests),
    generations('python_gc_objects_uncollectable_total', 'Uncollectable objects found during GC', GC.lost, requests),
    generations('python_gc_collections_total', 'Number of times this generation was collected', GC.runs, requests),
    {
      name: 'python_info',
      help: 'Python platform information',
      type: 'gauge',
      samples: [{ name: 'python_info', labels: PYTHON, value: 1 }],
    },
    one('process_virtual_memory_bytes', 'Virtual memory size in bytes.', 4.87354368e9),
    one('process_resident_memory_bytes', 'Resident memory size in bytes.', 1.056653312e9),
    one('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', inTicks(startedAt)),
    one(
      'process_cpu_seconds_total',
      'Total user and system CPU time spent in seconds.',
      inTicks(cpuSeconds),
      'counter',
    ),
    one('process_open_fds', 'Number of open file descriptors.', 34),
    one('process_max_fds', 'Maximum number of open file descriptors.', 1_048_576),
  ]
}

/** Seconds as Linux counts them for a process: in hundredths. */
const inTicks = (seconds: number): number => Math.floor(seconds * 100 + 1e-6) / 100

const NONE: Sample['labels'] = []

/** Of the Python in vLLM's image. */
const PYTHON: Sample['labels'] = [
  ['implementation', 'CPython'],
  ['major', '3'],
  ['minor', '12'],
  ['patchlevel', '12'],
  ['version', '3.12.12'],
]

/** Per generation, as recorded: when the server is up, and what 50 requests add. */
const GC = {
  collected: [
    [14_228, 98],
    [3371, 0],
    [1074, 0],
  ],
  lost: [
    [0, 0],
    [0, 0],
    [0, 0],
  ],
  runs: [
    [1818, 7],
    [165, 1],
    [11, 0],
  ],
} as const

const GENERATIONS = ['0', '1', '2'].map((generation): Sample['labels'] => [['generation', generation]])

function generations(
  name: string,
  help: string,
  rows: readonly (readonly [start: number, perFifty: number])[],
  requests: number,
): MetricFamily {
  const samples = rows.map(([start, perFifty], i): Sample => {
    return { name, labels: GENERATIONS[i]!, value: start + Math.floor((requests * perFifty) / 50) }
  })
  return { name, help, type: 'counter', samples }
}

/** Names of the samples. */
export const PROCESS_METRIC_NAMES: readonly string[] = processFamilies({
  startedAt: 0,
  cpuSeconds: 0,
  requests: 0,
}).map(({ name }) => name)
