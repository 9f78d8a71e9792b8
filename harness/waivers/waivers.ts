import { configSource, type SeatrialConfig } from '../platform/config/config.ts'
import { PlatformError, PlatformErrors, type Position } from '../platform/errors.ts'
import { suggest } from '../platform/suggest.ts'
import type { Verdict } from '../verdict/decide.ts'

/** A failure a team knows and accepts until a day. */
export interface Waiver {
  readonly scenario: string
  /** `chat` or `prod/chat`; left out: every server. */
  readonly target?: string | undefined
  /** Of the finding, or the code of what makes a verdict INVALID; left out: any. */
  readonly cause?: string | undefined
  readonly outcome: 'FAIL' | 'INVALID'
  readonly reason: string
  readonly owner: string
  /** `2027-01-31`: the last day on which it counts. */
  readonly expires: string
}

/** A waiver that did not do what it is there for. */
export interface WaiverRemark {
  readonly kind: 'expired' | 'unmatched'
  readonly what: string
  readonly fix: string
  readonly at: Position
}

/** Marks verdicts that someone has accepted, and remembers which waivers were of use. */
export class Waivers {
  private readonly matched = new Set<number>()
  private readonly seen: { scenario: string; subject: string }[] = []
  private readonly config: SeatrialConfig | undefined
  private readonly today: string

  /** `today`: `2027-01-31`. */
  constructor(config: SeatrialConfig | undefined, today: string) {
    this.config = config
    this.today = today
  }

  /** The verdict as WAIVED, with the waiver, where one counts; otherwise as it is. */
  apply(verdict: Verdict): Verdict {
    this.seen.push(verdict)
    let waiver: Waiver | undefined
    for (const [i, one] of this.all.entries()) {
      if (!covers(one, verdict)) continue
      this.matched.add(i)
      if (one.expires >= this.today) waiver ??= one
    }
    return waiver ? { ...verdict, outcome: 'WAIVED', waiver } : verdict
  }

  /** Expired waivers that would have counted, and waivers of what was tried that matched nothing. */
  remarks(): WaiverRemark[] {
    return this.all.flatMap((waiver, i): WaiverRemark[] => {
      const at = configSource(this.config!, ['waivers', i])
      const about = `the waiver of ${waiver.scenario}${waiver.target ? ` on ${waiver.target}` : ''} (${waiver.owner})`
      if (this.matched.has(i))
        return waiver.expires >= this.today
          ? []
          : [
              {
                kind: 'expired',
                what: `${about} expired on ${waiver.expires} and no longer counts`,
                fix: `Mend what it waived («${waiver.reason}»), or have ${waiver.owner} give it a new day.`,
                at,
              },
            ]
      const tried = this.seen.some((one) => one.scenario === waiver.scenario && isTarget(waiver, one.subject))
      if (!tried) return []
      return [
        {
          kind: 'unmatched',
          what: `${about} matches nothing that ${waiver.outcome === 'FAIL' ? 'fails' : 'is INVALID'}${waiver.cause ? ` by ${waiver.cause}` : ''}`,
          fix: 'Remove it if what it waived is mended.',
          at,
        },
      ]
    })
  }

  private get all(): readonly Waiver[] {
    return this.config?.waivers ?? []
  }
}

function covers(waiver: Waiver, { scenario, subject, outcome, finding, invalid }: Verdict): boolean {
  if (waiver.scenario !== scenario || waiver.outcome !== outcome || !isTarget(waiver, subject)) return false
  const causes = outcome === 'FAIL' ? [finding?.cause] : invalid.map(({ code }) => code)
  return waiver.cause === undefined || causes.includes(waiver.cause)
}

const isTarget = ({ target }: Waiver, subject: string): boolean =>
  target === undefined || subject === target || subject.endsWith(`/${target}`)

/** Throws PlatformErrors for waivers of scenarios that are not there. */
export function checkWaivers(config: SeatrialConfig | undefined, scenarios: readonly string[]): void {
  const errors = (config?.waivers ?? []).flatMap(({ scenario }, i) => {
    if (scenarios.includes(scenario)) return []
    const near = suggest(scenario, scenarios)
    return [
      new PlatformError('BAD_CONFIG', `waivers[${i}].scenario: there is no scenario "${scenario}"`, {
        why: 'A waiver of nothing would be taken for one that counts.',
        fix: near ? `Did you mean "${near}"?` : 'Look at «seatrial scenarios».',
        at: configSource(config!, ['waivers', i, 'scenario']),
      }),
    ]
  })
  if (errors.length > 0) throw new PlatformErrors(errors)
}
