import type { Timer } from '../../world/clock.ts'
import { EPOCH_MS, minutes, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { Labels, Querier } from '../querier.ts'
import type { Tsdb } from '../tsdb/tsdb.ts'
import type { Alert, AlertState } from './alerting.ts'
import { GroupState, type RuleHealth } from './group.ts'
import type { Rule, RuleGroup } from './rule.ts'

export interface RuleManagerOptions {
  readonly world: Pick<World, 'clock'>
  readonly tsdb: Tsdb
  readonly querier: Querier
  readonly groups: readonly RuleGroup[]
  /** Of groups that give none. Prometheus: 1 min. */
  readonly interval?: Us
  readonly externalLabels?: Labels
  readonly externalUrl?: string
  /** Told when an alert comes (`before` undefined), fires, or ends. */
  onAlert?(alert: Alert, before: AlertState | undefined): void
  /** Told when a rule cannot be evaluated, once for each reason in a row. */
  onFailure?(rule: Rule, error: string): void
}

/** Evaluates groups of rules at their intervals, in the simulation's time. Follows rules/manager.go and rules/group.go. */
export class RuleManager {
  private readonly options: RuleManagerOptions
  private readonly states: readonly GroupState[]
  private timers = new Map<GroupState, Timer>()

  constructor(options: RuleManagerOptions) {
    const { tsdb, querier, groups, externalLabels = {}, externalUrl = '' } = options
    this.options = options
    const context = {
      externalLabels,
      externalUrl,
      unixSeconds: (at: Us) => EPOCH_MS / 1e3 + at / 1e6,
      changed: (alert: Alert, before: AlertState | undefined) => options.onAlert?.(alert, before),
      failed: (rule: Rule, error: string) => options.onFailure?.(rule, error),
    }
    this.states = groups.map((group) => new GroupState(group, tsdb, querier, context))
  }

  start(): void {
    for (const state of this.states) this.schedule(state, this.firstSlot(state))
  }

  /** Ends the evaluation, and with it the series of all rules. */
  stop(): void {
    for (const timer of this.timers.values()) timer.cancel()
    this.timers = new Map()
    for (const state of this.states) state.end(this.options.world.clock.now)
  }

  /** Alerts that are pending, firing, or ended within 15 minutes, in the order of groups and rules. */
  alerts(): Alert[] {
    return this.states.flatMap((state) => state.alerting()).flatMap((rule) => rule.alerts())
  }

  /** How each rule's last evaluation went. */
  health(): RuleHealth[] {
    return this.states.flatMap((state) => state.health())
  }

  private interval({ group }: GroupState): Us {
    return group.interval ?? this.options.interval ?? minutes(1)
  }

  private schedule(state: GroupState, at: Us): void {
    const timer = this.options.world.clock.at(at, () => {
      this.schedule(state, at + this.interval(state))
      state.evaluate(at)
    })
    this.timers.set(state, timer)
  }

  /** Groups are spread over their interval by their name, and keep to multiples of it since 1970. */
  private firstSlot(state: GroupState): Us {
    const interval = this.interval(state)
    const offset = hash(`${state.group.file}\n${state.group.name}`) % interval
    const now = EPOCH_MS * 1e3 + this.options.world.clock.now
    const slot = now - ((now - offset) % interval) + interval
    return slot - EPOCH_MS * 1e3
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0
  return value
}
