import type { Chance } from './chance.ts'

const SPAN = 100

/** A number within a schema's limits. */
export function numberFor(schema: { readonly [key: string]: unknown }, chance: Chance, whole: boolean): number {
  const of = (key: string): number | undefined => (typeof schema[key] === 'number' ? schema[key] : undefined)
  const [above, below] = [of('exclusiveMinimum'), of('exclusiveMaximum')]
  const lows = [of('minimum'), above].filter((value) => value !== undefined)
  const highs = [of('maximum'), below].filter((value) => value !== undefined)
  const low = lows.length > 0 ? Math.max(...lows) : highs.length > 0 ? Math.min(...highs) - SPAN : 0
  const high = highs.length > 0 ? Math.min(...highs) : low + SPAN
  const step = of('multipleOf') ?? (whole ? 1 : undefined)
  if (step !== undefined) return onGrid({ low, high, above, below }, whole ? wholeStep(step) : step, chance)
  const middle = (low + high) / 2
  const rounded = Math.round((low + chance.share() * (high - low)) * 100) / 100
  const inside = (value: number) =>
    value >= low && value <= high && (above === undefined || value > above) && (below === undefined || value < below)
  return inside(rounded) ? rounded : inside(Math.round(middle)) ? Math.round(middle) : middle
}

/** The smallest whole multiple of a step. */
function wholeStep(step: number): number {
  for (let times = 1; times <= 1000; times++) {
    const multiple = step * times
    if (Math.abs(multiple - Math.round(multiple)) < 1e-9) return Math.round(multiple)
  }
  return step
}

interface Limits {
  readonly low: number
  readonly high: number
  readonly above: number | undefined
  readonly below: number | undefined
}

function onGrid({ low, high, above, below }: Limits, step: number, chance: Chance): number {
  let from = Math.ceil(low / step - 1e-9)
  let to = Math.floor(high / step + 1e-9)
  if (above !== undefined && from * step <= above) from++
  if (below !== undefined && to * step >= below) to--
  if (to < from) return from * step
  const times = from + chance.below(Math.min(to - from, 1e6) + 1)
  // 0.1 * 3 is not 0.3
  return Number((times * step).toPrecision(15))
}
