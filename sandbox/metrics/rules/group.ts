import type { Us } from '../../world/time.ts'
import { type Querier, QueryError } from '../querier.ts'
import { RoundWriter } from '../tsdb/staleness.ts'
import type { SeriesRef, Tsdb } from '../tsdb/tsdb.ts'
import { type AlertContext, AlertingState, type Written } from './alerting.ts'
import { record } from './recording.ts'
import type { Rule, RuleGroup } from './rule.ts'

/** How a rule's last evaluation went. */
export interface RuleHealth {
  readonly group: RuleGroup
  readonly rule: Rule
  /** Undefined when it went well, or has not been yet. */
  readonly error: string | undefined
  readonly evaluatedAt: Us | undefined
}

interface Evaluated {
  readonly rule: Rule
  readonly alerting: AlertingState | undefined
  readonly writer: RoundWriter
  readonly refs: Map<string, SeriesRef>
  error: string | undefined
  evaluatedAt: Us | undefined
}

interface GroupContext extends AlertContext {
  /** Told when a rule cannot be evaluated, once for each reason in a row. */
  failed?(rule: Rule, error: string): void
}

/** The rules of a group with what they remember. Follows rules/group.go. */
export class GroupState {
  readonly group: RuleGroup
  private readonly tsdb: Tsdb
  private readonly querier: Querier
  private readonly rules: readonly Evaluated[]
  private readonly failed: GroupContext['failed']

  constructor(group: RuleGroup, tsdb: Tsdb, querier: Querier, context: GroupContext) {
    this.group = group
    this.tsdb = tsdb
    this.querier = querier
    this.failed = context.failed
    this.rules = group.rules.map((rule) => ({
      rule,
      alerting: rule.kind === 'alerting' ? new AlertingState(rule, context) : undefined,
      writer: new RoundWriter(tsdb),
      refs: new Map(),
      error: undefined,
      evaluatedAt: undefined,
    }))
  }

  /** Evaluates the rules in order; each sees what those before it wrote. A rule that fails leaves its series as they are. */
  evaluate(at: Us): void {
    for (const state of this.rules) {
      state.evaluatedAt = at
      try {
        this.write(state, this.resultOf(state, at), at - this.group.queryOffset)
        state.error = undefined
      } catch (error) {
        if (!(error instanceof Error) || (!(error instanceof QueryError) && error.constructor !== Error)) throw error
        if (state.error !== error.message) this.failed?.(state.rule, error.message)
        state.error = error.message
      }
    }
  }

  /** The group's rules are no more: their series end. */
  end(at: Us): void {
    for (const { writer } of this.rules) writer.gone(at)
  }

  alerting(): AlertingState[] {
    return this.rules.flatMap(({ alerting }) => alerting ?? [])
  }

  health(): RuleHealth[] {
    return this.rules.map(({ rule, error, evaluatedAt }) => ({ group: this.group, rule, error, evaluatedAt }))
  }

  private resultOf({ rule, alerting }: Evaluated, at: Us): readonly Written[] {
    const { limit, queryOffset } = this.group
    const result = this.querier.instant(rule.expr, at - queryOffset)
    return rule.kind === 'recording' ? record(rule, result, limit) : alerting!.evaluate(result, at, limit)
  }

  private write({ writer, refs }: Evaluated, written: readonly Written[], at: Us): void {
    for (const { labels, value } of written) {
      const ref = refs.get(labels.key) ?? this.tsdb.series(labels)
      refs.set(labels.key, ref)
      writer.append(ref, at, value)
    }
    writer.finish(at)
  }
}
