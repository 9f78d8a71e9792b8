import type { JournalRecord, RequestRecord } from '../../sandbox/journal/record.ts'
import { parseDuration } from '../../sandbox/world/time.ts'
import type { CheckContext } from '../expectations/check.ts'
import { Attainment, type Moment } from './attainment.ts'
import { type ObjectiveName, objectivesFor, objectiveText } from './objective.ts'

/** Which promises a check looks at, and over what. JSON. */
export interface SloParams {
  readonly objective: ObjectiveName
  /** Length of the sliding window; longer by itself where requests are few. */
  readonly window?: string
  /**
   * Whose requests: all together (the default), each tenant's by itself, or those of each tenant but one, by its name or its place among
   * them from 0.
   */
  readonly of?: 'together' | 'each' | { readonly tenant: string | number } | { readonly except: string | number }
  /** From how long after the load's start on. */
  readonly from?: string
  /** From how long after each fault on, in place of that: what happens before is its price. */
  readonly afterFault?: string
  /** Ends of requests that say nothing here, as another scenario judges them. */
  readonly leaveOut?: readonly RequestRecord['outcome'][]
}

const WINDOW = '1m'

/** The objectives of a check over the subject's requests as they end. */
export class Following {
  readonly records: RequestRecord[] = []
  attainments: readonly Attainment[] = []
  private readonly params: SloParams
  private readonly context: CheckContext

  constructor(params: SloParams, context: CheckContext) {
    this.params = params
    this.context = context
  }

  /** The load begins with the phase `timeline`; with `afterFault` it counts from the fault. */
  begin(record: JournalRecord): void {
    const { objective, window = WINDOW, from = '0s', afterFault } = this.params
    const { slos } = this.context
    if (afterFault === undefined) {
      if (record.type !== 'phase' || record.phase !== 'timeline') return
    } else if (record.type !== 'fault' || record.step !== 'inject') return
    const startUs = record.at + parseDuration(afterFault ?? from)
    const windowUs = parseDuration(window)
    this.attainments = objectivesFor(slos, objective).flatMap((one) =>
      this.whose().map((tenant) => new Attainment({ objective: one, windowUs, startUs, tenant })),
    )
  }

  add(record: RequestRecord): void {
    if (this.params.leaveOut?.includes(record.outcome)) return
    this.records.push(record)
    for (const attainment of this.attainments) attainment.add(record)
  }

  moment(): Moment {
    return { now: this.context.now(), open: [...this.context.openRequests()] }
  }

  /** The fewest requests any objective has to be judged by. */
  samples(): number {
    return this.attainments.length === 0 ? 0 : Math.min(...this.attainments.map(({ samples }) => samples))
  }

  private whose(): (string | undefined)[] {
    const { of = 'together' } = this.params
    const { tenants } = this.context
    if (of === 'together') return [undefined]
    if (of === 'each') return tenants.length > 0 ? [...tenants] : [undefined]
    const named = 'tenant' in of ? of.tenant : of.except
    const name = typeof named === 'number' ? tenants[named] : named
    return 'tenant' in of ? tenants.filter((one) => one === name) : tenants.filter((one) => one !== name)
  }
}

/** `TTFT` of one objective; with its tenant. */
export const attainmentText = ({ objective, tenant }: Attainment): string =>
  `${tenant === undefined ? '' : `${tenant}: `}${objectiveText(objective)}`

/** Who is meant, in words for `describe`. */
export function whoText({ of = 'together' }: SloParams): string {
  if (of === 'together') return ''
  if (of === 'each') return ' for each tenant'
  const named = 'tenant' in of ? of.tenant : of.except
  const name = typeof named === 'number' ? `tenant ${named + 1}` : named
  return 'tenant' in of ? ` for ${name}` : ` for every tenant but ${name}`
}
