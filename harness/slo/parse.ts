import { parseShare, parseTime } from '../platform/config/units.ts'
import { limitsOf, type Objective, type Slos } from './objective.ts'

/**
 * Objectives as people write them on a command line: `ttft-p95<2s,tpot-p99<=50ms,e2e-p95<30s,availability>99%,goodput>90%`. Goodput is judged by
 * the latency limits beside it. Throws a RangeError that says how to write it.
 */
export function parseSlos(texts: readonly string[]): Slos {
  const slos = texts
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map(parseObjective)
  const limits = limitsOf(slos)
  if (slos.some(({ kind }) => kind === 'goodput') && Object.keys(limits).length === 0)
    throw new RangeError('goodput needs latency limits to be judged by: "ttft-p95<2s,goodput>90%"')
  return slos.map((one) => (one.kind === 'goodput' ? { ...one, limits } : one))
}

const HOW = 'write it like ttft-p95<2s, tpot-p99<50ms, e2e-p95<30s, availability>99% or goodput>90%'

function parseObjective(text: string): Objective {
  const latency = /^(ttft|tpot|e2e)-p(\d{1,2}(?:\.\d+)?)\s*(?:<=?|=)\s*(.+)$/i.exec(text)
  if (latency) {
    const [, kind, percentile, limit] = latency
    if (!(Number(percentile) > 0)) throw new RangeError(`not a percentile: "p${percentile}" (${HOW})`)
    const limitUs = parseTime(limit)
    if (!(limitUs > 0)) throw new RangeError(`a limit must be more than 0: "${text}"`)
    return { kind: kind!.toLowerCase() as 'ttft', percentile: Number(percentile), limitUs, origin: 'given' }
  }
  const share = /^(availability|goodput)\s*(?:>=?|=)\s*(.+)$/i.exec(text)
  if (!share) throw new RangeError(`not an objective: "${text}" (${HOW})`)
  const [, kind, value] = share
  const given = /^[\d.]+$/.test(value!) ? Number(value) : value
  return kind!.toLowerCase() === 'availability'
    ? { kind: 'availability', share: parseShare(given), origin: 'given' }
    : { kind: 'goodput', share: parseShare(given), origin: 'given', limits: {} }
}
