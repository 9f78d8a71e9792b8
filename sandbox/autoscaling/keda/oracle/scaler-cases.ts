import type * as o from '../../../kube/objects.ts'
import type { QueryValue } from '../../../metrics/querier.ts'
import { UnsupportedFormulaError } from '../formula/syntax.ts'
import { composite, formulaOf } from '../modifiers.ts'
import { cpuMemoryScaler } from '../scalers/cpu-memory.ts'
import { CronSchedule } from '../scalers/cron-schedule.ts'
import { prometheusScaler } from '../scalers/prometheus.ts'
import { Zone } from '../scalers/zone.ts'
import { PROMETHEUS } from '../testkit.ts'
import { orError } from './scale-cases.ts'
import { type Dice, finished } from './stand-ins.ts'

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Sao_Paulo']

function cronField(dice: Dice, min: number, max: number, loose: number): string {
  const value = () => min + dice.below(max - min + 1)
  if (dice.chance(loose)) return dice.one(['*', '*', '*', '?', `*/${1 + dice.below(7)}`])
  if (dice.chance(0.03)) return dice.one(['61', 'x', '5-2', '1-2-3', '1/2/3', '*/0', '-1', ','])
  const [a, b] = [value(), value()]
  const range = `${Math.min(a, b)}-${Math.max(a, b)}`
  return dice.one([`${a}`, `${a}`, `${a},${b}`, range, `${range}/2`, `${a}/5`])
}

/** A schedule and a moment, often near a change of the clock. */
export function cronCase(dice: Dice) {
  const names = dice.chance(0.1)
  const fields = [
    cronField(dice, 0, 59, 0.2),
    cronField(dice, 0, 23, 0.3),
    cronField(dice, 1, 31, 0.6),
    names ? dice.one(['jan', 'MAR-Oct', 'feb,dec']) : cronField(dice, 1, 12, 0.7),
    names ? dice.one(['mon-fri', 'SUN', 'sat,sun']) : cronField(dice, 0, 6, 0.6),
  ]
  const spec = dice.chance(0.02) ? fields.slice(1).join(' ') : fields.join(' ')
  const changes = ['2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z', '2026-03-08T07:00:00Z', '2026-11-01T06:00:00Z']
  const near = Date.parse(dice.one(changes)) / 1000 + dice.below(4 * 86_400) - 2 * 86_400
  const at = dice.chance(0.6) ? near : Date.UTC(2015) / 1000 + dice.below(15 * 365 * 86_400)
  return { op: 'cron', spec, zone: dice.one(ZONES), at }
}

export const ourCron = ({ spec, zone, at }: ReturnType<typeof cronCase>) =>
  orError(() => ({ next: new CronSchedule(spec).next(at, new Zone(zone)) ?? null }))

const METADATA: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['threshold', ['5', '0.25', '100.5', '-3', '1e3', 'five', '', '0.0625', '7x', 'true']],
  ['activationThreshold', ['0', '3.5', '-1', 'x', '']],
  ['ignoreNullValues', ['true', 'false', 'f', 'no']],
  ['query', ['up', 'sum(x)', '']],
  ['authModes', ['bearer', 'basic,tls', 'magic', 'basic,bearer', 'custom']],
  ['timeout', ['1000', '2s', 'long']],
]

function answerOf(dice: Dice): QueryValue {
  const value = () => dice.one([0, 1, 3.5, 0.0625, 1e-4, -2, 1e12, 123.4567, Number.NaN, 1 / 0, -1 / 0])
  if (dice.chance(0.05)) return { type: 'scalar', value: 3 }
  if (dice.chance(0.05)) return { type: 'string', value: 'x' }
  const samples = Array.from({ length: dice.one([0, 1, 1, 1, 1, 1, 2]) }, () => ({ labels: {}, value: value() }))
  return { type: 'vector', samples }
}

const goText = (value: number): string =>
  Number.isFinite(value) ? String(value).replace(/e\+?/, 'e') : value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN'

function bodyOf(answer: QueryValue): string {
  const result =
    answer.type === 'vector'
      ? answer.samples.map(({ value }) => ({ metric: {}, value: [1.5, goText(value)] }))
      : [1.5, String(answer.value)]
  return JSON.stringify({ status: 'success', data: { resultType: answer.type, result } })
}

/** A prometheus trigger and what its server answers. */
export function prometheusCase(dice: Dice) {
  const metadata: Record<string, string> = { serverAddress: PROMETHEUS, query: 'up', threshold: '5' }
  for (const [name, values] of METADATA) if (dice.chance(0.25)) metadata[name] = dice.one(values)
  if (dice.chance(0.03)) delete metadata['threshold']
  const auth: Record<string, string> = {}
  for (const name of ['bearerToken', 'username', 'cert', 'key']) if (dice.chance(0.5)) auth[name] = 'x'
  // real certificates are not at hand
  if (metadata['authModes']?.includes('tls')) delete auth['cert']
  const answer = answerOf(dice)
  const metricType = dice.one(['', 'AverageValue', 'Value', 'Value', 'Utilization'] as const)
  const status = dice.chance(0.1) ? dice.one([400, 422, 503]) : 200
  return {
    case: { op: 'prometheus', type: 'prometheus', metadata, auth, metricType, status, body: bodyOf(answer) },
    answer,
  }
}

export function ourPrometheus({ case: item, answer }: ReturnType<typeof prometheusCase>) {
  const { metadata, auth, metricType, status } = item
  return orError(() => {
    const trigger: o.ScaleTrigger = { type: 'prometheus', metadata, ...(metricType ? { metricType } : {}) }
    const condition = () => (status === 200 ? { latency: 0 } : { latency: 0, failure: status })
    const scaler = prometheusScaler(0, trigger, {
      auth,
      clock: { now: 0 },
      prometheus: () => ({ querier: { instant: () => answer }, condition }),
      refused: () => {},
    })
    const measured = orError(() => finished(scaler.measure()))
    const failure = 'error' in measured ? measured.error : ''
    const { values, active } = 'error' in measured ? { values: [], active: false } : measured
    return { values, active, failure, spec: scaler.metricSpec }
  })
}

/** A cpu or memory trigger. */
export function resourceCase(dice: Dice) {
  return {
    op: 'resource',
    type: dice.one(['cpu', 'memory'] as const),
    metricType: dice.one(['Utilization', 'AverageValue', 'Value', ''] as const),
    metadata: {
      ...dice.maybe(0.9, 'value', () => dice.one(['80', '500m', '1Gi', '0.5', '+7', 'x7', '1500m', '2048Mi'])),
      ...dice.maybe(0.2, 'containerName', () => 'main'),
      ...dice.maybe(0.1, 'type', () => 'Utilization'),
    } as Record<string, string>,
  }
}

export function ourResource({ type, metricType, metadata }: ReturnType<typeof resourceCase>) {
  const trigger: o.ScaleTrigger = { type, metadata, ...(metricType ? { metricType } : {}) }
  return orError(() => ({ spec: cpuMemoryScaler(type, trigger).metricSpec }))
}

function expression(dice: Dice, depth: number): string {
  const sub = () => expression(dice, depth - 1)
  const list = () => `[${Array.from({ length: 1 + dice.below(3) }, sub).join(', ')}]`
  if (depth <= 0) return dice.one(['a', 'b', 'c', '2', '0.5', '3', '1e2', 'a', 'b', dice.chance(0.1) ? 'zz' : 'c'])
  const made: (() => string)[] = [
    () => `${sub()} ${dice.one(['+', '-', '*', '/', '**', '%', '??'])} ${sub()}`,
    () => `(${sub()} ${dice.one(['+', '-', '*', '/'])} ${sub()})`,
    () => `${condition(dice, depth - 1)} ? ${sub()} : ${sub()}`,
    () => `(${condition(dice, depth - 1)} ? ${sub()} : ${sub()})`,
    () => `${dice.one(['max', 'min', 'mean', 'median', 'sum'])}(${list()})`,
    () => `${dice.one(['max', 'min'])}(${sub()}, ${sub()})`,
    () => `count(${list()}, {# ${dice.one(['>', '<', '>='])} ${sub()}})`,
    () => `${dice.one(['abs', 'ceil', 'floor', 'round', 'int', 'float'])}(${sub()})`,
    () => `-${sub()}`,
    () => `if ${condition(dice, depth - 1)} { ${sub()} } else { ${sub()} }`,
  ]
  return dice.one(made)()
}

function condition(dice: Dice, depth: number): string {
  const sub = () => expression(dice, Math.min(depth, 1))
  const compare = () => `${sub()} ${dice.one(['>', '<', '>=', '<=', '==', '!='])} ${sub()}`
  if (dice.chance(0.04)) return sub()
  return dice.one([
    compare,
    compare,
    () => `${compare()} ${dice.one(['&&', '||', 'and', 'or'])} ${compare()}`,
    () => `not (${compare()})`,
    () => `${dice.one(['all', 'any', 'none', 'one'])}([a, b], # > ${sub()})`,
  ])()
}

/** A formula over three triggers, some of them lost. */
export function formulaCase(dice: Dice) {
  const names = { 's0-prometheus': 'a', 's1-prometheus': 'b', 's2-prometheus': 'c' }
  const lost = Object.keys(names).filter(() => dice.chance(0.15))
  const object = {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'web', namespace: 'default' } as o.ObjectMeta,
    spec: {
      scaleTargetRef: { name: 'web' },
      triggers: ['a', 'b', 'c'].map((name) => ({ type: 'prometheus', name, metadata: {} })),
      advanced: {
        scalingModifiers: {
          formula: expression(dice, 1 + dice.below(3)),
          target: dice.one(['2', '2', '2', '1.5', '-1', 'x']),
        },
      },
      fallback: { failureThreshold: 1, replicas: 3, behavior: 'scalingModifiers' as const },
    },
    status: {
      health: Object.fromEntries(lost.map((metric) => [metric, { numberOfFailures: 2, status: 'Failing' as const }])),
    },
  } satisfies o.ScaledObject
  const values = Object.keys(names).map((metric) => ({
    metric,
    milli: dice.below(8000) - (dice.chance(0.2) ? 4000 : 0),
  }))
  return { op: 'formula', object, names, values }
}

/** Undefined: refused as not modelled. */
export function ourFormula({ object, names, values }: ReturnType<typeof formulaCase>) {
  try {
    return orError(() => {
      const formula = formulaOf(object)
      const made = orError(() =>
        composite(object, values, { formula, names: new Map(Object.entries(names)), fallbackValues: undefined }),
      )
      return { values: 'error' in made ? [] : made }
    })
  } catch (error) {
    if (error instanceof UnsupportedFormulaError) return undefined
    throw error
  }
}
