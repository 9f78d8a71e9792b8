import type { Us } from '../../world/time.ts'
import { minutes } from '../../world/time.ts'
import type { Labels, QueryValue } from '../querier.ts'
import { LabelSet } from '../tsdb/label-set.ts'
import type { AlertingRule } from './rule.ts'
import { expandTemplate, type TemplateData, TemplateError } from './template.ts'

export type AlertState = 'pending' | 'firing' | 'inactive'

/** One alert of a rule: an element of its expression's result, as long as that is there. Times are trial time. */
export interface Alert {
  readonly rule: AlertingRule
  readonly labels: Labels
  readonly annotations: Labels
  readonly state: AlertState
  readonly value: number
  /** When the expression began to hold. */
  readonly activeAt: Us
  readonly firedAt: Us | undefined
  /** When it ceased to fire, for an `inactive` one. */
  readonly resolvedAt: Us | undefined
}

/** A sample a rule writes. */
export interface Written {
  readonly labels: LabelSet
  readonly value: number
}

export interface AlertContext {
  readonly externalLabels: Labels
  readonly externalUrl: string
  /** Unix seconds of a trial time. */
  unixSeconds(at: Us): number
  /** Told of each change of an alert's state, after the change. */
  changed(alert: Alert, before: AlertState | undefined): void
}

/** How long a resolved alert stays known, so that its end is told more than once. */
const RESOLVED_RETENTION = minutes(15)

type Mutable = { -readonly [K in keyof Alert]: Alert[K] } & { keepFiringSince: Us | undefined; set: LabelSet }

/** An alerting rule with the alerts it has raised. Follows rules/alerting.go. */
export class AlertingState {
  readonly rule: AlertingRule
  private readonly context: AlertContext
  private readonly active = new Map<string, Mutable>()
  /** The rule's labels as they are written, templates and all: what ALERTS starts from. */
  private readonly written: LabelSet

  constructor(rule: AlertingRule, context: AlertContext) {
    this.rule = rule
    this.context = context
    this.written = LabelSet.of(rule.labels)
  }

  /** Alerts raised and not yet forgotten. */
  alerts(): Alert[] {
    return [...this.active.values()]
  }

  /** Takes the expression's result at `at`; gives what is to be written. Throws when two elements make one alert. */
  evaluate(result: QueryValue, at: Us, limit: number): Written[] {
    const found = this.alertsOf(result, at)
    for (const [key, alert] of found) {
      const known = this.active.get(key)
      if (!known || known.state === 'inactive') this.active.set(key, alert)
      else {
        known.value = alert.value
        known.annotations = alert.annotations
      }
    }
    const written: Written[] = []
    let count = 0
    for (const [key, alert] of this.active) {
      const before = alert.state
      const isNew = before === 'pending' && alert.activeAt === at && found.get(key) === alert
      const holds = found.has(key) ? this.goOn(alert, at) : this.cease(key, alert, at)
      if (alert.state !== before || isNew) this.context.changed(alert, isNew ? undefined : before)
      if (!holds) continue
      count++
      written.push(...this.samples(alert))
    }
    if (limit > 0 && count > limit) {
      this.active.clear()
      throw new Error(`exceeded limit of ${limit} with ${count} alerts`)
    }
    return written
  }

  private alertsOf(result: QueryValue, at: Us): Map<string, Mutable> {
    const found = new Map<string, Mutable>()
    for (const { labels, value } of elementsOf(result)) {
      const { externalLabels, externalUrl } = this.context
      const data: TemplateData = { labels, externalLabels, externalUrl, value, at }
      const { __name__, ...rest } = labels
      const set = LabelSet.of({ ...rest, ...expandAll(this.rule.labels, data), alertname: this.rule.alert })
      if (found.has(set.key))
        throw new Error('vector contains metrics with the same labelset after applying alert labels')
      found.set(set.key, {
        rule: this.rule,
        set,
        labels: set.record,
        annotations: expandAll(this.rule.annotations, data),
        state: 'pending',
        value,
        activeAt: at,
        firedAt: undefined,
        resolvedAt: undefined,
        keepFiringSince: undefined,
      })
    }
    return found
  }

  /** The expression still holds. */
  private goOn(alert: Mutable, at: Us): true {
    alert.keepFiringSince = undefined
    if (alert.state === 'pending' && at - alert.activeAt >= this.rule.for) {
      alert.state = 'firing'
      alert.firedAt = at
    }
    return true
  }

  /** The expression no longer holds. Whether the alert goes on all the same. */
  private cease(key: string, alert: Mutable, at: Us): boolean {
    let keep = false
    if (alert.state === 'firing' && this.rule.keepFiringFor > 0) {
      alert.keepFiringSince ??= at
      keep = at - alert.keepFiringSince < this.rule.keepFiringFor
    }
    const forgotten = alert.resolvedAt !== undefined && at - alert.resolvedAt > RESOLVED_RETENTION
    if (alert.state === 'pending' || forgotten) this.active.delete(key)
    if (alert.state !== 'inactive' && !keep) {
      alert.state = 'inactive'
      alert.resolvedAt = at
    }
    return keep
  }

  private samples({ set, state, activeAt }: Mutable): Written[] {
    const labels = { ...this.written.record, ...set.record, alertname: this.rule.alert }
    const since = Math.floor(this.context.unixSeconds(activeAt))
    return [
      { labels: LabelSet.of({ ...labels, __name__: 'ALERTS', alertstate: state }), value: 1 },
      { labels: LabelSet.of({ ...labels, __name__: 'ALERTS_FOR_STATE' }), value: since },
    ]
  }
}

/** A scalar is an element without labels, as rules take it. */
export function elementsOf(result: QueryValue): readonly { readonly labels: Labels; readonly value: number }[] {
  if (result.type === 'vector') return result.samples
  if (result.type === 'scalar') return [{ labels: {}, value: result.value }]
  throw new Error('rule result is not a vector or scalar')
}

/** A template that fails says so in its place, as in Prometheus. */
function expandAll(templates: Labels, data: TemplateData): Labels {
  return Object.fromEntries(
    Object.entries(templates).map(([name, text]) => {
      try {
        return [name, expandTemplate(text, data)]
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error
        return [name, `<error expanding template: ${error.message}>`]
      }
    }),
  )
}
