import { expect } from 'vitest'
import { printFigures } from '../../../fixtures/oracles/figures.ts'
import { askOracle } from '../../../fixtures/oracles/program.ts'
import { oracleSuite } from '../../../fixtures/oracles/suite.ts'
import { canonical } from '../../journal/record.ts'
import { formatQuantity, parseQuantity } from '../../kube/quantity.ts'
import { randomStream } from '../../world/random.ts'
import { fallbackCase, ourFallback, ourScale, scaleCase } from './oracle/scale-cases.ts'
import {
  cronCase,
  formulaCase,
  ourCron,
  ourFormula,
  ourPrometheus,
  ourResource,
  prometheusCase,
  resourceCase,
} from './oracle/scaler-cases.ts'
import { Dice } from './oracle/stand-ins.ts'
import type { MetricSpec } from './scalers/scaler.ts'

const REACHED = {
  'scaling/executor/scale_scaledobjects.go': /executor\/scale_scaledobjects\.go:/,
  'fallback/fallback.go': /fallback\/fallback\.go:/,
  'scaling/modifiers': /scaling\/modifiers\//,
  'robfig/cron: schedules and their parser': /cron\/v3\/(spec|parser)\.go:/,
}
const { compare, program } = await oracleSuite('keda', REACHED)

const casesOf = <C>(count: number, make: (dice: Dice) => C): C[] => {
  const dice = new Dice(randomStream(7, make.name))
  return Array.from({ length: count }, () => make(dice))
}

/** Asks both; fails with the first cases they differ in. `same` makes answers alike that differ in no way that counts. */
async function judge<C>(
  what: string,
  cases: readonly C[],
  ours: (item: C) => unknown,
  options: { asked?: (item: C) => unknown; same?: (answer: Answer) => unknown } = {},
): Promise<void> {
  const { asked = (item: C) => item, same = (answer: Answer) => answer } = options
  const real = await askOracle<Answer>(program(), cases.map(asked))
  const differing = cases.flatMap((item, i) => {
    const mine = ours(item) as Answer | undefined
    if (!mine || real[i]!.error?.includes(MIXED_MINIMUM)) return []
    return canonical(same(mine)) === canonical(same(real[i]!)) ? [] : [{ item, mine, theirs: real[i] }]
  })
  printFigures('keda', what, { cases: cases.length, differ: differing.length })
  expect(differing.slice(0, 3)).toEqual([])
}

/** expr-lang takes min(1, 2.5) for an integer and trips over it; here it is a number. */
const MIXED_MINIMUM = 'interface {} is float64, not int'

interface Answer {
  readonly error?: string
  readonly panic?: string
  readonly spec?: MetricSpec
}

/** The fake client names a missing object by its resource, the cached client of a running KEDA by its kind. */
const cachedClient = (answer: Answer): string => canonical(answer).replaceAll('deployments.apps', 'Deployment.apps')

/** Quantities keep their spelling in Go: `100.500`. */
const sameQuantities = (answer: Answer): string =>
  canonical(answer).replace(/"((?:averageV|v)alue)":"([^"]+)"/g, (_, name, text) => {
    const quantity = parseQuantity(text)
    return `"${name}":"${formatQuantity(quantity)}"`
  })

/** A value that is no quantity makes KEDA's process end. */
const panicsFail = (answer: Answer): string =>
  answer.panic || answer.error
    ? `fails: ${(answer.panic ?? answer.error)!.replace(/^error parsing \w+ metadata: /, '')}`
    : sameQuantities(answer)

/** Errors of formulas agree in that there is one; some say it elsewhere. */
const anyError = (answer: Answer): unknown => (answer.error ? 'error' : answer)

const within = { timeout: 300_000 }

compare('scales as the executor does', within, () =>
  judge('executor: scaling, conditions, events', casesOf(6000, scaleCase), ourScale, { same: cachedClient }),
)

compare('falls back as KEDA does', within, () => judge('fallback', casesOf(4000, fallbackCase), ourFallback))

compare('finds the times of schedules', within, () =>
  judge('cron schedules with time zones', casesOf(6000, cronCase), ourCron),
)

compare('reads answers of Prometheus', within, () =>
  judge('prometheus trigger', casesOf(2000, prometheusCase), ourPrometheus, {
    asked: (item) => item.case,
    same: sameQuantities,
  }),
)

compare('makes metrics of cpu and memory', within, () =>
  judge('cpu and memory triggers', casesOf(500, resourceCase), ourResource, { same: panicsFail }),
)

compare('computes formulas', within, () =>
  judge('formulas of scaling modifiers', casesOf(6000, formulaCase), ourFormula, { same: anyError }),
)
