import type { Task } from '../../../world/actor.ts'
import type { Us } from '../../../world/time.ts'
import { type MetricsClient, MetricsError, type PodMetrics } from '../../metrics-client.ts'

/** What a metrics API says of one metric: an error, or what its kind has. */
export interface Answer {
  error?: string
  pods?: Record<string, { milli: number; at: Us; windowUs: Us }>
  milli?: number
  series?: number[]
}

/** By `resource/<name>[/<container>]`, `pods/<name>`, `object/<name>`, `external/<name>`. */
export type Answers = Record<string, Answer>

/** The metrics APIs with canned answers. */
export function cannedMetrics(answers: () => Answers, now: () => Us): MetricsClient {
  function* find(key: string): Task<Answer> {
    const answer = answers()[key]
    if (!answer) throw new MetricsError(`nothing for ${key}`)
    if (answer.error) throw new MetricsError(answer.error)
    return answer
  }
  function* ofPods(key: string): Task<{ pods: PodMetrics; at: Us }> {
    const { pods = {} } = yield* find(key)
    return { pods: new Map(Object.entries(pods)), at: now() }
  }
  return {
    resource: (resource, _namespace, _selector, container) =>
      ofPods(`resource/${resource}${container === undefined ? '' : `/${container}`}`),
    pods: (metric) => ofPods(`pods/${metric}`),
    *object(metric) {
      return { milli: (yield* find(`object/${metric}`)).milli ?? 0, at: now() }
    },
    *external(metric) {
      return { milli: (yield* find(`external/${metric}`)).series ?? [], at: now() }
    },
  }
}
