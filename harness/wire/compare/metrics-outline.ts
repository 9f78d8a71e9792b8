/**
 * What a `/metrics` text consists of, values left out: a line for each `# HELP` and `# TYPE`, and one for each series; the buckets of a
 * histogram are one line, their bounds joined by `|`. In the order of the text.
 */
export function metricsOutline(text: string): string[] {
  const lines: string[] = []
  let open: { series: string; bounds: string[] } | undefined
  const close = () => {
    if (open) lines.push(`${open.series} le=${open.bounds.join('|')}`)
    open = undefined
  }
  for (const line of text.split('\n')) {
    if (line === '') continue
    const sample = line.startsWith('#') ? undefined : sampleOf(line)
    const bucket = sample && bucketOf(sample.series)
    if (bucket && open?.series === bucket.series) open.bounds.push(bucket.bound)
    else {
      close()
      if (bucket) open = { series: bucket.series, bounds: [bucket.bound] }
      else lines.push(sample ? sample.series : line)
    }
  }
  close()
  return lines
}

/** A text of which this is the outline; every value is 1. */
export function outlinedText(outline: readonly string[]): string {
  const lines = outline.flatMap((line) => {
    if (line.startsWith('#')) return [line]
    const [, series, bounds] = /^(.*?)(?: le=(.*))?$/.exec(line)!
    if (bounds === undefined) return [`${line} 1.0`]
    return bounds.split('|').map((bound) => `${series!.replace('«le»', `le="${bound}"`)} 1.0`)
  })
  return `${lines.join('\n')}\n`
}

/** Samples whose value is not printed as Python prints a float, or that are no samples. */
export function oddSamples(text: string): string[] {
  return text.split('\n').filter((line) => {
    if (line === '' || line.startsWith('#')) return false
    const sample = sampleOf(line)
    return sample === undefined || !/^(?:-?\d+\.\d+(?:e[+-]\d{2,})?|-?\de[+-]\d{2,}|\+Inf|-Inf|NaN)$/.test(sample.value)
  })
}

const sampleOf = (line: string) => {
  const match = /^([^\s{]+(?:\{.*\})?) (\S+)(?: \S+)?$/.exec(line)
  return match ? { series: match[1]!, value: match[2]! } : undefined
}

const bucketOf = (series: string) => {
  const match = /^([^{]*_bucket)\{(.*)\}$/.exec(series)
  const bound = match && /(?:^|,)le="([^"]*)"/.exec(match[2]!)
  if (!bound) return undefined
  const others = match[2]!.replace(/(^|,)le="[^"]*"/, '$1«le»')
  return { series: `${match[1]}{${others}}`, bound: bound[1]! }
}
