import type { Sandbox } from '../sandbox/tiers/tier.ts'
import { parseDuration, type Us } from '../sandbox/world/time.ts'
import type { FaultCall, FaultContext } from './faults/fault.ts'
import { faults } from './faults/index.ts'
import type { TimelineEntry } from './scenario.ts'
import type { TrialSpec } from './trial-spec.ts'

/** The entries of a scenario's timeline being carried out on a sandbox, each journalled as it begins and ends. */
export class Timeline {
  private readonly spec: TrialSpec
  private readonly sandbox: Sandbox
  /** What is still to be undone when the last entry is over, in the order in which it began. */
  private readonly heals: (() => void)[] = []

  constructor(spec: TrialSpec, sandbox: Sandbox) {
    this.spec = spec
    this.sandbox = sandbox
  }

  /** What happens before anything is applied. */
  async before(): Promise<void> {
    for (const entry of this.spec.scenario.timeline) if (entry.at === 'start') await this.inject(entry)
  }

  /** Everything else, from `start` on. Ends with the last entry, and with those whose time to heal comes. */
  async run(start: Us): Promise<void> {
    const ends: { at: Us; heal: () => void }[] = []
    const healUntil = async (until: Us) => {
      for (ends.sort((a, b) => a.at - b.at); ends[0] && ends[0].at <= until; ) {
        const { at, heal } = ends.shift()!
        await this.reach(at)
        heal()
      }
    }
    for (const entry of this.spec.scenario.timeline) {
      if (entry.at === 'start') continue
      const at = start + parseDuration(entry.at)
      await healUntil(at)
      await this.reach(at)
      const heal = await this.inject(entry)
      if (entry.for && heal) ends.push({ at: at + parseDuration(entry.for), heal })
    }
    await healUntil(Number.POSITIVE_INFINITY)
  }

  /** Heals what is left. */
  heal(): void {
    for (const heal of this.heals.splice(0)) heal()
  }

  private async reach(at: Us): Promise<void> {
    if (at > this.sandbox.world.clock.now) await this.sandbox.runUntil(at)
  }

  /** Returns how to heal it where the entry says when. */
  private async inject({ do: call, for: lasts, stays }: TimelineEntry): Promise<(() => void) | undefined> {
    const { sandbox, spec } = this
    const fault = faultOf(call)
    const context: FaultContext = { sandbox, subject: spec.setup.subject, setup: spec.setup }
    this.journal(call, 'inject')
    const undo = await sandbox.run(`fault/${call.fault}`, fault.inject(call, context))
    if (fault.sort === 'change' || stays) return undefined
    const heal = () => {
      undo()
      this.journal(call, 'heal')
    }
    if (lasts) return heal
    this.heals.push(heal)
    return undefined
  }

  private journal(call: FaultCall, step: 'inject' | 'heal'): void {
    this.sandbox.world.journal.append({
      type: 'fault',
      fault: call.fault,
      step,
      target: this.spec.setup.subject.key,
      detail: faultOf(call).describe(call),
    })
  }
}

function faultOf(call: FaultCall) {
  const fault = faults.get(call.fault)
  if (!fault) throw new RangeError(`no fault named ${call.fault}`)
  return fault
}
