import type { MetricFamily, Sample } from '../../../metrics/sample.ts'
import { escapeQuoted, formatFloat, renderFamily } from '../../engine/metric-text.ts'
import type { Escaping } from './negotiate.ts'

/** The OpenMetrics exposition of `families`; `_created` ones are part of the family before them, each time behind its child. */
// follows generate_latest of prometheus_client/openmetrics/exposition.py
export function renderOpenMetrics(families: readonly MetricFamily[], escaping: Escaping): string {
  let text = ''
  for (let i = 0; i < families.length; i++) {
    const family = families[i]!
    const created = createdAfter(families, i)
    if (created) i++
    const name = metricName(baseOf(family), escaping)
    text += `# HELP ${name} ${escapeQuoted(family.help)}\n# TYPE ${name} ${family.type}\n`
    for (const sample of interleaved(family.samples, created?.samples ?? [])) text += line(sample, escaping)
  }
  return `${text}# EOF\n`

  function line({ name, labels, value }: Sample, escaping: Escaping): string {
    return `${sampleName(name, escaping)}${labelsOf(labels, escaping)} ${formatFloat(value)}\n`
  }
}

/** The text exposition with names spelt as asked for. */
export function renderText(families: readonly MetricFamily[], escaping: Escaping): string {
  let text = ''
  for (const family of families) {
    const { name, samples } = family
    text += renderFamily({
      ...family,
      name: metricName(name, escaping),
      samples: escaping === 'dots' ? samples.map(dotted) : samples,
    })
  }
  return text
}

/** Only samples of these names; a family that has none is left out. */
// follows RestrictedRegistry of prometheus_client/registry.py
export function restricted(
  families: readonly MetricFamily[],
  names: ReadonlySet<string> | undefined,
): readonly MetricFamily[] {
  if (!names) return families
  const kept: MetricFamily[] = []
  for (let i = 0; i < families.length; i++) {
    const family = families[i]!
    const created = createdAfter(families, i)
    if (created) i++
    const own = family.samples.filter(({ name }) => names.has(name))
    const times = created?.samples.filter(({ name }) => names.has(name)) ?? []
    if (own.length + times.length > 0) kept.push({ ...family, samples: own })
    if (created && times.length > 0) kept.push({ ...created, samples: times })
  }
  return kept
}

const baseOf = ({ name, type }: MetricFamily) => (type === 'counter' ? name.replace(/_total$/, '') : name)

function createdAfter(families: readonly MetricFamily[], i: number): MetricFamily | undefined {
  const next = families[i + 1]
  return next?.name === `${baseOf(families[i]!)}_created` ? next : undefined
}

/** As many samples of each child, then its time. */
function interleaved(samples: readonly Sample[], created: readonly Sample[]): readonly Sample[] {
  if (created.length === 0) return samples
  const each = samples.length / created.length
  return created.flatMap((time, i) => [...samples.slice(i * each, (i + 1) * each), time])
}

const dotted = (sample: Sample): Sample => ({
  ...sample,
  name: metricName(sample.name, 'dots'),
  labels: sample.labels.map(([key, value]) => [labelName(key, 'dots'), value] as const),
})

function labelsOf(labels: Sample['labels'], escaping: Escaping): string {
  const pairs = labels.map(([key, value]) => `${labelName(key, escaping)}="${escapeQuoted(value)}"`)
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}

/** All names here are of letters, digits, `_` and `:`; such names only dots change. */
const metricName = (name: string, escaping: Escaping) => (escaping === 'dots' ? name.replaceAll('_', '__') : name)
const labelName = metricName

/** OpenMetrics takes the `:` of a sample's name for a strange character, the text format does not. */
function sampleName(name: string, escaping: Escaping): string {
  if (escaping === 'allow-utf-8') return name
  if (escaping === 'underscores') return name.replaceAll(':', '_')
  if (escaping === 'dots') return name.replace(/[_:]/g, '__')
  return `U__${name.replaceAll('_', '__').replaceAll(':', '_3a_')}`
}
