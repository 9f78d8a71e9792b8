import { seconds, type Us } from '../../world/time.ts'

/** What of a log is wanted, and how. */
export interface LogOptions {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  /** The last lines only. */
  readonly tailLines?: number
  /** Not more than so many bytes. */
  readonly limitBytes?: number
  /** Nothing older than that, in the world's time. */
  readonly since?: Us
}

/**
 * The options in the query of a request to `/containerLogs`; undefined where they are not valid. `unixUs`: the world's time of a Unix
 * time in microseconds.
 */
// follows getContainerLogs of pkg/kubelet/server/server.go, and ValidatePodLogOptions
export function logOptionsIn(query: URLSearchParams, now: Us, unixUs: (unix: number) => Us): LogOptions | undefined {
  const flag = (name: string) => /^(1|t|true)$/i.test(query.get(name) ?? '')
  const tail = query.get('tail') === 'all' ? null : (query.get('tail') ?? query.get('tailLines'))
  const tailLines = countIn(tail, 0)
  const limitBytes = countIn(query.get('limitBytes'), 1)
  const sinceSeconds = countIn(query.get('sinceSeconds'), 1)
  const sinceTime = query.get('sinceTime')
  const at = sinceTime === null ? undefined : Date.parse(sinceTime)
  const counts = [tailLines, limitBytes, sinceSeconds, at]
  if (counts.some(Number.isNaN) || (sinceSeconds !== undefined && at !== undefined)) return undefined
  const since = sinceSeconds === undefined ? at && unixUs(at * 1e3) : now - seconds(sinceSeconds)
  return {
    ...{ follow: flag('follow'), previous: flag('previous'), timestamps: flag('timestamps') },
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(since === undefined ? {} : { since }),
  }
}

/** NaN where it is no such number. */
function countIn(text: string | null, least: number): number | undefined {
  if (text === null) return undefined
  return /^\d+$/.test(text) && Number(text) >= least ? Number(text) : Number.NaN
}
