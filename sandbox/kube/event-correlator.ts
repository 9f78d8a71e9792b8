import type { Us } from '../world/time.ts'
import { seconds } from '../world/time.ts'
import { TokenBucket } from './lag.ts'

/** What a recorder knows of an occurrence. */
export interface Occurrence {
  /** Who says it, and about which object (by uid): one budget for all of a level that is said about it. */
  readonly about: string
  readonly level: string
  readonly reason: string
  readonly message: string
}

/** What becomes of it: a new Event, one more of a known Event, or nothing. */
export type Correlated =
  | { readonly action: 'create'; readonly key: string; readonly message: string }
  | { readonly action: 'count'; readonly key: string; readonly message: string; readonly count: number }
  | { readonly action: 'drop' }

const MAX_DIFFERENT = 10
const SIMILAR_WITHIN = seconds(600)
const SPAM = { qps: 1 / 300, burst: 25 }

/** Occurrences that are alike but for their message. */
interface Group {
  /** The different ones of late, oldest first. */
  messages: string[]
  at: Us
  /** Of each Event of its own, by message. */
  readonly counts: Map<string, number>
  /** Of the combined Event. */
  combined: number
}

/**
 * Keeps recorders from flooding the server: from the tenth message on that differs only in its text one combined Event counts them,
 * the same Event again is counted, and of one object only 25 of a type are told, then one in five minutes.
 * Follows k8s.io/client-go/tools/record/events_cache.go EventCorrelate.
 */
export class EventCorrelator {
  private readonly limits: boolean
  private readonly groups = new Map<string, Group>()
  private readonly budgets = new Map<string, TokenBucket>()

  /** Without limits the same Event is only counted; the scheduler's recorder knows no others. */
  constructor(options: { limits: boolean } = { limits: true }) {
    this.limits = options.limits
  }

  correlate(occurrence: Occurrence, now: Us): Correlated {
    const { about, level, reason, message } = occurrence
    const group = `${about}/${level}/${reason}`
    const known = this.groupOf(group)
    const combined = this.limits && isOneOfMany(known, message, now)
    const key = combined ? group : `${group}/${message}`
    const text = combined ? `(combined from similar events): ${message}` : message
    const count = combined ? ++known.combined : (known.counts.get(message) ?? 0) + 1
    if (!combined) known.counts.set(message, count)
    if (this.limits && !this.affords(`${about}/${level}`, now)) return { action: 'drop' }
    return count === 1 ? { action: 'create', key, message: text } : { action: 'count', key, message: text, count }
  }

  private groupOf(name: string): Group {
    let group = this.groups.get(name)
    if (!group) {
      group = { messages: [], at: 0, counts: new Map(), combined: 0 }
      this.groups.set(name, group)
    }
    return group
  }

  private affords(budgetKey: string, now: Us): boolean {
    let budget = this.budgets.get(budgetKey)
    if (!budget) {
      budget = new TokenBucket(SPAM)
      this.budgets.set(budgetKey, budget)
    }
    return budget.tryTake(now)
  }
}

function isOneOfMany(group: Group, message: string, now: Us): boolean {
  if (now - group.at > SIMILAR_WITHIN) group.messages = []
  group.at = now
  if (!group.messages.includes(message)) group.messages.push(message)
  if (group.messages.length < MAX_DIFFERENT) return false
  group.messages.shift()
  return true
}
