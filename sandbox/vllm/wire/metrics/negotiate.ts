/** How names are spelt for readers that do not take all of UTF-8. */
export type Escaping = 'allow-utf-8' | 'underscores' | 'dots' | 'values'

export interface MetricsFormat {
  readonly format: 'text' | 'open-metrics'
  readonly escaping: Escaping
  readonly contentType: string
}

const ESCAPINGS: readonly string[] = ['allow-utf-8', 'underscores', 'dots', 'values']

/** The format for an Accept header: the first of its entries that says one of these in version 1 or later. */
// follows choose_encoder of prometheus_client/exposition.py
export function chooseFormat(accept: string): MetricsFormat {
  for (const entry of accept.split(',')) {
    const parts = entry.split(';')
    const type = parts[0]!.trim()
    const version = parameter(parts, 'version') ?? ''
    const asked = parameter(parts, 'escaping') ?? ''
    const escaping = (ESCAPINGS.includes(asked) ? asked : 'underscores') as Escaping
    if (type === 'application/openmetrics-text') {
      const form = `${type}; version=${version || '1.0.0'}; charset=utf-8`
      if (version === '') return { format: 'open-metrics', escaping: 'underscores', contentType: form }
      if (isOneOrLater(version))
        return { format: 'open-metrics', escaping, contentType: `${form}; escaping=${escaping}` }
    } else if (type === 'text/plain' && isOneOrLater(version)) {
      const contentType = `text/plain; version=1.0.0; charset=utf-8; escaping=${escaping}`
      return { format: 'text', escaping, contentType }
    }
  }
  return { format: 'text', escaping: 'underscores', contentType: 'text/plain; version=0.0.4; charset=utf-8' }
}

function parameter(parts: readonly string[], name: string): string | undefined {
  for (const part of parts) {
    const at = part.indexOf('=')
    if (at >= 0 && part.slice(0, at).trimStart() === name) return part.slice(at + 1).trimEnd()
  }
  return undefined
}

/** As Python compares tuples: `1` and `1.0` come before `1.0.0`. */
function isOneOrLater(version: string): boolean {
  const numbers = version.split('.').map(Number)
  if (version === '' || numbers.some(Number.isNaN)) return false
  for (let i = 0; i < 3; i++) {
    const [own, least] = [numbers[i], [1, 0, 0][i]!]
    if (own === undefined || own < least) return false
    if (own > least) return true
  }
  return true
}
