import type { Us } from '../../../sandbox/world/time.ts'
import type { Told } from './measure.ts'

/** What k6 says while it sends. */
export type Point =
  /** The load's start, in milliseconds since 1970. */
  | { readonly kind: 'zero'; readonly ms: number }
  | { readonly kind: 'begun'; readonly number: number; readonly sentAt: Us }
  | { readonly kind: 'ended'; readonly told: Told }

interface Line {
  readonly data: { readonly value: number; readonly metadata?: Readonly<Record<string, string>> }
}

/** Metrics of `schedule.js`, as their points begin in k6's JSON output. All other lines are not even parsed. */
const KINDS = (['zero', 'begun', 'ended'] as const).map(
  (kind) => [kind, `{"metric":"seatrial_${kind}","type":"Point"`] as const,
)

/** What a line of k6's JSON output says; undefined for any other line. Throws a SyntaxError on one that is cut short. */
export function readPoint(line: string): Point | undefined {
  const kind = KINDS.find(([, begin]) => line.startsWith(begin))?.[0]
  if (!kind) return undefined
  const { value, metadata } = (JSON.parse(line) as Line).data
  if (kind === 'zero') return { kind, ms: value }
  const request = metadata?.['request']
  if (request === undefined) throw new SyntaxError(`a point of a request without its record: ${line.slice(0, 200)}`)
  if (kind === 'begun') return { kind, ...(JSON.parse(request) as { number: number; sentAt: Us }) }
  return { kind, told: JSON.parse(request) as Told }
}
