import { formatDuration, minutes, type Us } from '../../sandbox/world/time.ts'
import { type Broken, check, type Evidence } from './check.ts'

interface Params {
  /** In any two minutes, for each answer that came to its end in them. */
  perAnswer: number | `$${string}`
}

const WINDOW: Us = minutes(2)
/** From this share on the KV cache counts as full. */
const FULL = 0.95

/** Metrics it reads, those of older versions among them. */
export const PREEMPTION_METRICS = [
  'vllm:num_preemptions_total',
  'vllm:num_requests_running',
  'vllm:num_requests_waiting',
  'vllm:kv_cache_usage_perc',
  'vllm:gpu_cache_usage_perc',
] as const

/** What a server last said of itself. */
interface Account {
  preemptions: number
  running: number
  waiting: number
  kv: number
}

/** Requests thrown out of the KV cache, to be computed again, over and over. Looks at what the servers say of themselves under load. */
export const preemptionStorm = check<Params>({
  name: 'preemptionStorm',
  describe: ({ perAnswer }) => `more than ${perAnswer} preemptions for each answer in any ${formatDuration(WINDOW)}`,
  start({ perAnswer }, { subject, phase }) {
    const accounts = new Map<string, Account>()
    const preempted: Counted[] = []
    const answered: Us[] = []
    const peak: Account = { preemptions: 0, running: 0, waiting: 0, kv: 0 }
    let samples = 0
    /** Requests a server had in its batch when its cache was full: the fewest. */
    let fits = Number.POSITIVE_INFINITY
    return {
      record(record) {
        if (record.type === 'request' && record.target === subject.key && record.outcome === 'ok')
          answered.push(record.at)
        const figure = record.type === 'sample' ? FIGURES[record.metric] : undefined
        if (record.type !== 'sample' || !figure) return
        const pod = record.labels['pod'] ?? ''
        const account = accounts.get(pod) ?? { preemptions: 0, running: 0, waiting: 0, kv: 0 }
        if (figure === 'preemptions') {
          samples++
          // a process that was started anew counts from nothing
          const more = record.value >= account.preemptions ? record.value - account.preemptions : record.value
          if (more > 0) preempted.push({ at: record.at, pod, count: more, account })
        }
        account[figure] = record.value
        accounts.set(pod, account)
        peak[figure] = Math.max(peak[figure], record.value)
        if (account.kv >= FULL && account.running > 0) fits = Math.min(fits, account.running)
      },
      result() {
        if (phase() !== 'judge') return { samples }
        const worst = worstOf(preempted, answered)
        const summary = `${worst ? `at worst ${worst.count} preemptions and ${worst.answers} answers in ${formatDuration(WINDOW)}` : 'no preemption'}; KV cache at most ${percent(peak.kv)} full, at most ${peak.waiting} waiting on a server`
        if (!worst || worst.count <= Number(perAnswer) * Math.max(1, worst.answers)) return { samples, summary }
        return { samples, broken: brokenOf(worst, preempted, fits, peak) }
      },
    }
  },
})

interface Counted {
  readonly at: Us
  readonly pod: string
  readonly count: number
  readonly account: Account
}

interface Worst {
  readonly until: Us
  readonly count: number
  readonly answers: number
}

const FIGURES: Readonly<Record<string, keyof Account>> = {
  'vllm:num_preemptions_total': 'preemptions',
  'vllm:num_requests_running': 'running',
  'vllm:num_requests_waiting': 'waiting',
  'vllm:kv_cache_usage_perc': 'kv',
  'vllm:gpu_cache_usage_perc': 'kv',
}

/** The window that ends with a preemption and has the most of them for each answer. */
function worstOf(preempted: readonly Counted[], answered: readonly Us[]): Worst | undefined {
  let worst: Worst | undefined
  for (const until of new Set(preempted.map(({ at }) => at))) {
    const inside = (at: Us) => at > until - WINDOW && at <= until
    const count = preempted.reduce((sum, one) => sum + (inside(one.at) ? one.count : 0), 0)
    const answers = answered.filter(inside).length
    if (!worst || count * Math.max(1, worst.answers) > worst.count * Math.max(1, answers))
      worst = { until, count, answers }
  }
  return worst
}

function brokenOf(worst: Worst, preempted: readonly Counted[], fits: number, peak: Account): Broken {
  const inWindow = preempted.filter(({ at }) => at > worst.until - WINDOW && at <= worst.until)
  return {
    at: preempted[0]!.at,
    cause: 'kv-preemption-storm',
    what: `${worst.count} requests were thrown out of the KV cache in ${formatDuration(WINDOW)}, in which ${worst.answers} were answered`,
    ...(Number.isFinite(fits) ? { fits } : {}),
    evidence: [
      ...inWindow
        .slice(0, 3)
        .map(
          ({ at, pod, count }): Evidence => ({ at, about: `Pod ${pod}`, text: `vllm:num_preemptions_total +${count}` }),
        ),
      {
        at: worst.until,
        about: 'vllm:num_requests_running',
        text: `at most ${peak.running} on a server${Number.isFinite(fits) ? `, and no more than ${fits} when its KV cache was full` : ''}; at most ${peak.waiting} waiting`,
      },
    ],
  }
}

const percent = (share: number): string => `${Math.round(100 * share)} %`
