import { ms, seconds, type Us } from '../../../sandbox/world/time.ts'
import { limitsOf, type Objective, type Slos } from '../../slo/objective.ts'
import type { Declared, SeatrialConfig, WorkloadConfig } from '../config/config.ts'
import { assumed, declaredInput, type Input } from './input.ts'

/** What was promised to the clients of one server. What most chat services promise is assumed; the rest is there only where it is given. */
export interface SloInputs {
  /** Share of requests answered. */
  readonly availability: Input<number>
  readonly ttftP95Us: Input<Us>
  readonly tpotP95Us: Input<Us>
  readonly ttftP99Us?: Input<Us>
  readonly tpotP99Us?: Input<Us>
  readonly e2eP95Us?: Input<Us>
  readonly e2eP99Us?: Input<Us>
  /** Share of requests that meet every latency limit. */
  readonly goodput?: Input<number>
}

export function sloInputs(
  config: SeatrialConfig | undefined,
  key: string | undefined,
  workload: WorkloadConfig | undefined,
): SloInputs {
  const given = (part: string, inner?: string): Input<number> | undefined => {
    for (const [slos, base] of [
      [workload?.slos, ['workloads', key ?? '', 'slos']],
      [config?.slos, ['slos']],
    ] as const) {
      const section = (slos as Record<string, unknown> | undefined)?.[part]
      const declared = (inner === undefined ? section : (section as Record<string, unknown> | undefined)?.[inner]) as
        | Declared<number>
        | undefined
      if (config && declared)
        return declaredInput(config, [...base, part, ...(inner === undefined ? [] : [inner])], declared)
    }
    return undefined
  }
  const how = (setting: string) => `a common objective for chat: give slos.${setting} in seatrial.yaml`
  const optional = {
    ttftP99Us: given('ttft', 'p99'),
    tpotP99Us: given('tpot', 'p99'),
    e2eP95Us: given('e2e', 'p95'),
    e2eP99Us: given('e2e', 'p99'),
    goodput: given('goodput'),
  }
  return {
    availability: given('availability') ?? assumed(0.99, [0.95, 0.999], how('availability')),
    ttftP95Us: given('ttft', 'p95') ?? assumed(seconds(2), [seconds(1), seconds(5)], how('ttft.p95')),
    tpotP95Us: given('tpot', 'p95') ?? assumed(ms(100), [ms(50), ms(200)], how('tpot.p95')),
    ...Object.fromEntries(Object.entries(optional).filter(([, input]) => input !== undefined)),
  }
}

/** Without a share given, what DistServe's authors take: 90 % of the requests within their limits. */
const GOODPUT_SHARE = 0.9

/** The inputs as objectives; the latency limits of goodput are those given, or where none is, those assumed. */
export function slosOf(inputs: SloInputs): Slos {
  const latency = (kind: 'ttft' | 'tpot' | 'e2e', percentile: number, input: Input<Us> | undefined): Objective[] =>
    input ? [{ kind, percentile, limitUs: input.value, origin: input.origin }] : []
  const latencies = [
    ...latency('ttft', 95, inputs.ttftP95Us),
    ...latency('ttft', 99, inputs.ttftP99Us),
    ...latency('tpot', 95, inputs.tpotP95Us),
    ...latency('tpot', 99, inputs.tpotP99Us),
    ...latency('e2e', 95, inputs.e2eP95Us),
    ...latency('e2e', 99, inputs.e2eP99Us),
  ]
  const known = latencies.filter(({ origin }) => origin !== 'assumed')
  return [
    { kind: 'availability', share: inputs.availability.value, origin: inputs.availability.origin },
    ...latencies,
    {
      kind: 'goodput',
      share: inputs.goodput?.value ?? GOODPUT_SHARE,
      origin: inputs.goodput?.origin ?? 'assumed',
      limits: limitsOf(known.length > 0 ? known : latencies),
    },
  ]
}
