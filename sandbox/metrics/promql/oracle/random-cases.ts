import { type RandomStream, randomStream } from '../../../world/random.ts'
import { type Case, type CaseSeries, goFloat } from './case.ts'

/** Cases of random series and random expressions, the same for a seed. */
export function* randomCases(seed: number, count: number, queriesEach: number): Generator<Case> {
  for (let i = 0; i < count; i++) {
    const random = randomStream(seed, `promql/${i}`)
    const series = randomSeries(random)
    const time = 3600_000 + int(random, 600_000)
    const queries = Array.from({ length: queriesEach }, () => ({
      expr: new Expressions(random).vector(3),
      time: time + (random.next() < 0.5 ? 0 : 1000 * int(random, 300)),
    }))
    yield { name: `random ${seed}/${i}`, series, queries }
  }
}

/** Cases of damaged expressions: a piece of one is left out, doubled or put elsewhere. */
export function* damagedCases(seed: number, count: number, queriesEach: number): Generator<Case> {
  for (const { name, series, queries } of randomCases(seed, count, queriesEach)) {
    const random = randomStream(seed, `damage/${name}`)
    yield {
      name: `damaged ${name}`,
      series,
      queries: queries.map(({ expr, time }) => ({ time, expr: damage(random, expr) })),
    }
  }
}

function damage(random: RandomStream, expr: string): string {
  const pieces = expr.match(/\w+|\s+|[^\w\s]/g) ?? []
  const at = int(random, pieces.length)
  const extra = pick(random, [...pieces, ...'()[]{},"=!~@:-+5$'.split(''), 'by', 'bool', 'offset', 'on', '5m', 'a'])
  const removed = random.next() < 0.6 ? 1 : 0
  return pieces.toSpliced(at, removed, ...(random.next() < 0.7 ? [extra] : [])).join('')
}

const int = (random: RandomStream, below: number): number => Math.floor(random.next() * below)
const pick = <T>(random: RandomStream, items: readonly T[]): T => items[int(random, items.length)]!

/** What a series' next value is made of its last one. */
const KINDS: Readonly<Record<string, (random: RandomStream, last: number) => number>> = {
  requests_total: (random, last) => (random.next() < 0.05 ? 0 : last + int(random, 20)),
  gauge: (random) => pick(random, [0, 1, -1.5, 3, 3, 1e-3, 0.1, 12345.678, int(random, 100)]),
  odd: (random) =>
    pick(random, [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e308, -1e308, 0, 7, 7]),
  seconds_bucket: (random, last) => last + int(random, 5),
}

function randomSeries(random: RandomStream): CaseSeries[] {
  return Object.keys(KINDS).flatMap((name) => {
    const les = name.endsWith('_bucket') ? ['0.1', '0.5', '1', '+Inf'] : ['']
    return ['x', 'y', ''].flatMap((a) =>
      ['1', '2'].flatMap((b) =>
        random.next() < 0.25
          ? []
          : les.map((le) => oneSeries(random, name, { __name__: name, a, b, ...(le && { le }) })),
      ),
    )
  })
}

function oneSeries(random: RandomStream, name: string, labels: Record<string, string>): CaseSeries {
  const [times, samples]: [number[], string[]] = [[], []]
  const step = pick(random, [15_000, 30_000, 60_000, 45_500])
  let value = int(random, 10)
  for (let time = 1200_000 + int(random, step); time < 4800_000; time += step) {
    const chance = random.next()
    if (chance < 0.04) time += int(random, 400_000)
    if (chance > 0.97) {
      times.push(time)
      samples.push('stale')
      continue
    }
    value = KINDS[name]!(random, value)
    times.push(time + int(random, 3))
    samples.push(goFloat(value))
  }
  return { labels: Object.fromEntries(Object.entries(labels).filter(([, text]) => text !== '')), times, samples }
}

const OVER_RANGE = (
  'rate irate increase delta idelta deriv resets changes avg_over_time min_over_time max_over_time sum_over_time count_over_time ' +
  'stddev_over_time stdvar_over_time last_over_time first_over_time present_over_time absent_over_time'
).split(' ')
const OVER_VALUES =
  'abs ceil floor exp ln log2 log10 sqrt sgn round sort sort_desc timestamp absent hour minute day_of_month day_of_week day_of_year month year days_in_month'.split(
    ' ',
  )
const AGGREGATIONS = 'sum avg min max count group stddev stdvar'.split(' ')
const NUMBERS = '0 1 2 -1 0.5 3.7 1e3 0x1f Inf -Inf NaN 1_000 5m 1h30m'.split(' ')

/** Writes random well-typed expressions. */
class Expressions {
  private readonly random: RandomStream

  constructor(random: RandomStream) {
    this.random = random
  }

  vector(depth: number): string {
    if (depth <= 0) return this.selector()
    return pick(this.random, [
      () => this.selector(),
      () => this.overRange(depth),
      () => this.overRange(depth),
      () => this.overValues(depth),
      () => this.aggregation(depth),
      () => this.aggregation(depth),
      () => this.binary(depth),
      () => this.binary(depth),
      () => this.withScalar(depth),
      () => this.labelFunction(depth),
      () => `-${this.selector()}`,
      () => `(${this.vector(depth - 1)})`,
      () => `vector(${this.scalar(depth - 1)})`,
    ])()
  }

  private scalar(depth: number): string {
    return pick(this.random, [
      () => pick(this.random, NUMBERS),
      () => pick(this.random, NUMBERS),
      () => (depth > 0 ? `scalar(${this.vector(depth - 1)})` : 'time()'),
      () => (depth > 0 ? `(${this.scalar(depth - 1)} ${this.arithmetic()} ${this.scalar(depth - 1)})` : 'pi()'),
      () => (depth > 0 ? `(${this.scalar(depth - 1)} ${this.comparison()} bool ${this.scalar(depth - 1)})` : '2'),
    ])()
  }

  private matchers(): string {
    const all = [
      'a="x"',
      'a!="x"',
      'a=~"x|y"',
      'a!~"y.*"',
      'b="1"',
      'b=~".+"',
      'a=""',
      'b=~"[12]"',
      'c=""',
      'a=~"(?i)X"',
    ]
    const some = all.filter(() => this.random.next() < 0.15)
    return some.length > 0 ? `{${some.join(',')}}` : ''
  }

  private shift(): string {
    const offset =
      this.random.next() < 0.2 ? pick(this.random, [' offset 1m', ' offset -30s', ' offset 1h', ' offset 90']) : ''
    const at = this.random.next() < 0.15 ? pick(this.random, [' @ 3000', ' @ start()', ' @ end()', ' @ 3500.5']) : ''
    return this.random.next() < 0.5 ? offset + at : at + offset
  }

  private metric(): string {
    const known = pick(this.random, [
      'requests_total',
      'gauge',
      'odd',
      'seconds_bucket',
      'requests_total',
      'gauge',
      'absent_one',
    ])
    const matchers = this.matchers()
    if (this.random.next() < 0.07)
      return `{__name__=~"gauge|requests_total"${matchers ? `,${matchers.slice(1, -1)}` : ''}}`
    return known + matchers
  }

  private selector(): string {
    return this.metric() + this.shift()
  }

  private range(depth: number): string {
    const range = pick(this.random, ['30s', '1m', '2m', '5m', '10m', '1m30s', '300', '7m13s'])
    if (depth > 1 && this.random.next() < 0.2) {
      const step = pick(this.random, ['', '30s', '1m', '45s'])
      return `(${this.vector(depth - 2)})[${range}:${step}]${this.shift()}`
    }
    return `${this.metric()}[${range}]${this.shift()}`
  }

  private overRange(depth: number): string {
    const chance = this.random.next()
    if (chance < 0.06) return `quantile_over_time(${this.scalar(0)}, ${this.range(depth)})`
    if (chance < 0.12) return `predict_linear(${this.range(depth)}, ${this.scalar(0)})`
    return `${pick(this.random, OVER_RANGE)}(${this.range(depth)})`
  }

  private overValues(depth: number): string {
    const inner = this.vector(depth - 1)
    const chance = this.random.next()
    if (chance < 0.08) return `clamp(${inner}, ${this.scalar(0)}, ${this.scalar(0)})`
    if (chance < 0.16) return `${pick(this.random, ['clamp_min', 'clamp_max', 'round'])}(${inner}, ${this.scalar(0)})`
    if (chance < 0.3)
      return `histogram_quantile(${this.scalar(0)}, ${this.random.next() < 0.5 ? this.selector() : this.buckets()})`
    return `${pick(this.random, OVER_VALUES)}(${inner})`
  }

  private buckets(): string {
    return `sum by (le) (rate(seconds_bucket${this.matchers()}[5m]))`
  }

  private labels(): string {
    return ['a', 'b', 'le', '__name__'].filter(() => this.random.next() < 0.35).join(', ')
  }

  private aggregation(depth: number): string {
    const grouping = pick(this.random, ['', ` by (${this.labels()})`, ` without (${this.labels()})`])
    const inner = this.vector(depth - 1)
    const chance = this.random.next()
    // which of equal elements topk keeps depends on the order of its input, which these leave open
    const ordered = !/count_values|histogram_quantile|\[[^\]]*:/.test(inner)
    if (chance < 0.15 && ordered)
      return `${pick(this.random, ['topk', 'bottomk'])}${grouping} (${pick(this.random, ['1', '2', '3', '0', '100'])}, ${inner})`
    if (chance < 0.22) return `quantile${grouping} (${this.scalar(0)}, ${inner})`
    if (chance < 0.28) return `count_values${grouping} ("v", ${this.selector()})`
    return `${pick(this.random, AGGREGATIONS)}${grouping} (${inner})`
  }

  private arithmetic(): string {
    return pick(this.random, ['+', '-', '*', '/', '%', '^', 'atan2', '+', '-', '*', '/'])
  }

  private comparison(): string {
    return pick(this.random, ['==', '!=', '<', '<=', '>', '>='])
  }

  private binary(depth: number): string {
    const [left, right] = [this.vector(depth - 1), this.vector(depth - 1)]
    const matching = pick(this.random, ['', '', `on (${this.labels()})`, `ignoring (${this.labels()})`])
    const chance = this.random.next()
    if (chance < 0.3) return `${left} ${pick(this.random, ['and', 'or', 'unless'])} ${matching} ${right}`
    const op = chance < 0.7 ? this.arithmetic() : this.comparison() + (this.random.next() < 0.4 ? ' bool' : '')
    const group =
      matching && this.random.next() < 0.4
        ? pick(this.random, ['group_left', 'group_right', 'group_left(le)', 'group_right (b)'])
        : ''
    return `${left} ${op} ${matching} ${group} ${right}`
  }

  private withScalar(depth: number): string {
    const [vector, scalar] = [this.vector(depth - 1), this.scalar(depth - 1)]
    const op =
      this.random.next() < 0.6 ? this.arithmetic() : this.comparison() + (this.random.next() < 0.4 ? ' bool' : '')
    return this.random.next() < 0.6 ? `${vector} ${op} ${scalar}` : `${scalar} ${op} ${vector}`
  }

  private labelFunction(depth: number): string {
    const inner = this.vector(depth - 1)
    return pick(this.random, [
      `label_replace(${inner}, "c", "$1-z", "a", "(.*)")`,
      `label_replace(${inner}, "b", "", "b", "1")`,
      `label_replace(${inner}, "a", "$\{n}!", "b", "(?P<n>.)")`,
      `label_join(${inner}, "d", "/", "a", "b")`,
    ])
  }
}
