import type { Us } from '../../world/time.ts'
import type { Labels } from '../querier.ts'
import { formatPrometheusDuration, parsePrometheusDuration } from './duration.ts'
import { META, type MetaLabels } from './meta-labels.ts'
import { relabel } from './relabel.ts'
import type { ScrapeConfig } from './scrape-config.ts'

/** Something to scrape. */
export interface Target {
  /** Of one job two targets with the same key are one. */
  readonly key: string
  /** What its samples get. */
  readonly labels: Labels
  /** `10.128.0.5:8000`. */
  readonly address: string
  /** With the parameters, as asked for. */
  readonly path: string
  readonly scheme: 'http' | 'https'
  readonly intervalUs: Us
  readonly timeoutUs: Us
  readonly config: ScrapeConfig
  /** The pod it is, when discovery found it as one. */
  readonly podKey: string | undefined
}

/** The target that discovered labels come to; undefined when relabelling drops it or Prometheus would not take it. */
// follows PopulateLabels of prometheus/scrape/target.go
export function targetOf(discovered: MetaLabels, config: ScrapeConfig): Target | undefined {
  const labels = new Map(Object.entries(discovered).filter(([, value]) => value !== ''))
  const fill = (name: string, value: string) => {
    if (!labels.has(name)) labels.set(name, value)
  }
  fill('job', config.jobName)
  fill('__scrape_interval__', formatPrometheusDuration(config.intervalUs))
  fill('__scrape_timeout__', formatPrometheusDuration(config.timeoutUs))
  fill('__metrics_path__', config.metricsPath)
  fill('__scheme__', config.scheme)
  for (const [name, [first]] of Object.entries(config.params)) if (first !== undefined) fill(`__param_${name}`, first)
  if (!relabel(labels, config.relabel)) return undefined
  const address = labels.get('__address__') ?? ''
  if (address === '' || address.includes('/')) return undefined
  const intervalUs = parsePrometheusDuration(labels.get('__scrape_interval__') ?? '')
  const timeoutUs = parsePrometheusDuration(labels.get('__scrape_timeout__') ?? '')
  if (!intervalUs || !timeoutUs || timeoutUs > intervalUs) return undefined
  fill('instance', address)
  const scheme = labels.get('__scheme__') === 'https' ? 'https' : 'http'
  const path = pathOf(labels, config)
  const own = [...labels].filter(([name]) => !name.startsWith('__')).sort(([a], [b]) => (a < b ? -1 : 1))
  const pod = discovered[`${META}pod_name`]
  return {
    key: `${scheme}://${address}${path} ${own.map(([k, v]) => `${k}=${JSON.stringify(v)}`).join(',')}`,
    labels: Object.fromEntries(own),
    address: /:\d+$/.test(address) ? address : `${address}:${scheme === 'https' ? 443 : 80}`,
    path,
    scheme,
    intervalUs,
    timeoutUs,
    config,
    podKey: pod ? `${discovered[`${META}namespace`]}/${pod}` : undefined,
  }
}

function pathOf(labels: ReadonlyMap<string, string>, config: ScrapeConfig): string {
  const path = labels.get('__metrics_path__') ?? config.metricsPath
  const parameters = new Map(Object.entries(config.params).map(([name, values]) => [name, [...values]]))
  for (const [name, value] of labels)
    if (name.startsWith('__param_')) {
      const given = parameters.get(name.slice(8))
      parameters.set(name.slice(8), [value, ...(given ?? []).slice(1)])
    }
  const query = [...parameters]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, values]) => values.map((v) => `${encodeURIComponent(name)}=${encodeURIComponent(v)}`))
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}

const FNV_OFFSET = 0xcbf29ce484222325n
const FNV_PRIME = 0x100000001b3n
const WORD = (1n << 64n) - 1n

export function fnv64a(text: string): bigint {
  let hash = FNV_OFFSET
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * FNV_PRIME) & WORD
  return hash
}

/**
 * When within its interval a target is scraped: a hash of it decides, so that scrapes spread and stay. Upstream hashes labels
 * with xxHash and mixes in its host name; what hash it is makes no difference.
 */
// follows Target.offset of prometheus/scrape/target.go
export const offsetOf = (target: Target, seed: bigint): Us => {
  const interval = BigInt(target.intervalUs) * 1000n
  return Number(((fnv64a(target.key) ^ seed) % interval) / 1000n)
}
