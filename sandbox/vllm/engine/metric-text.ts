import type { MetricFamily, Sample } from '../../metrics/sample.ts'

/** The Prometheus text exposition of `families`, byte for byte as vLLM's client library writes it. */
export function renderFamilies(families: readonly MetricFamily[]): string {
  let text = ''
  for (const family of families) text += renderFamily(family)
  return text
}

/** One family of it. */
// follows generate_latest of prometheus_client/exposition.py
export function renderFamily({ name, help, type, samples }: MetricFamily): string {
  let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
  for (const { name: of, labels, value } of samples) text += `${of}${labelText(labels)} ${formatFloat(value)}\n`
  return text
}

const escapeHelp = (help: string) =>
  help.includes('\\') || help.includes('\n') ? help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : help

const knownLabels = new WeakMap<Sample['labels'], string>()

/** Labels in braces; nothing where there are none. Worked out once for each list. */
export function labelText(labels: Sample['labels']): string {
  let text = knownLabels.get(labels)
  if (text === undefined) {
    const pairs = labels.map(([key, value]) => `${key}="${escapeQuoted(value)}"`)
    text = pairs.length > 0 ? `{${pairs.join(',')}}` : ''
    knownLabels.set(labels, text)
  }
  return text
}

/** As it stands between quotes. */
export const escapeQuoted = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

/** A float as Python's prometheus_client prints it: `1.0`, `0.025`, `1.79e+09`, `+Inf`. */
export function formatFloat(value: number): string {
  if (Number.isInteger(value) && value >= 0 && value < 1e6) return `${value}.0`
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  if (Number.isNaN(value)) return 'NaN'
  const text = pythonRepr(value)
  const dot = text.indexOf('.')
  if (!(value > 0) || dot <= 6) return text
  const mantissa = `${text[0]}.${text.slice(1, dot)}${text.slice(dot + 1)}`.replace(/[0.]+$/, '')
  return `${mantissa}e+${String(dot - 1).padStart(2, '0')}`
}

function pythonRepr(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [mantissa, exponent] = value.toExponential().split('e')
    const digits = exponent!.slice(1).padStart(2, '0')
    return `${mantissa}e${exponent![0]}${digits}`
  }
  const text = String(value)
  return text.includes('.') ? text : `${text}.0`
}
