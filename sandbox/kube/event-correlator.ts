import type { Us } from '../world/time.ts'
import { seconds } from '../world/time.ts'
import { TokenBucket } from './lag.ts'

/** What a recorder knows of an occurrence. */
export interface Occurrence {
  /** About which object (by uid): one budget for all of a level that is said about it. */
  readonly about: string
  readonly level: string
  readonly reason: string
  readonly message: string
}

/** One Event that occurrences are told as. */
export interface Told {
  count: number
  /** The Event, once the recorder has made one. */
  event: { readonly metadata: { readonly name: string; readonly namespace: string } } | undefined
}

/** What becomes of it: a new Event, one more of a known Event, or nothing. */
export type Correlated =
  | { readonly action: 'create' | 'count'; readonly told: Told; readonly message: string; readonly count: number }
  | { readonly action: 'drop' }

const MAX_DIFFERENT = 10
const SIMILAR_WITHIN = seconds(600)
const SPAM = { qps: 1 / 300, burst: 25 }

/** Occurrences that are alike but for their message. */
interface Group {
  readonly level: string
  readonly reason: string
  /** The different ones of late, oldest first; undefined: the first alone. */
  messages: string[] | undefined
  at: Us
  /** The first message and its Event: most groups have no other. */
  readonly first: string
  readonly firstTold: Told
  /** Those of the others, by message. */
  others: Map<string, Told> | undefined
  combined: Told | undefined
}

/** What was said about one object. */
interface Subject {
  readonly groups: Group[]
  readonly budgets: { readonly level: string; readonly bucket: TokenBucket }[]
}

/**
 * Keeps recorders from flooding the server: from the tenth message on that differs only in its text one combined Event counts them,
 * the same Event again is counted, and of one object only 25 of a type are told, then one in five minutes.
 * Follows k8s.io/client-go/tools/record/events_cache.go EventCorrelate.
 */
export class EventCorrelator {
  private readonly limits: boolean
  private readonly subjects = new Map<string, Subject>()

  /** Without limits the same Event is only counted; the scheduler's recorder knows no others. */
  constructor(options: { limits: boolean } = { limits: true }) {
    this.limits = options.limits
  }

  correlate(occurrence: Occurrence, now: Us): Correlated {
    const { about, level, message } = occurrence
    let subject = this.subjects.get(about)
    if (!subject) {
      subject = { groups: [], budgets: [] }
      this.subjects.set(about, subject)
    }
    const group = groupOf(subject, occurrence, now)
    const combined = this.limits && isOneOfMany(group, message, now)
    const told = combined ? combinedOf(group) : toldOf(group, message)
    const count = ++told.count
    if (this.limits && !affords(subject, level, now)) return { action: 'drop' }
    const text = combined ? `(combined from similar events): ${message}` : message
    return { action: count === 1 ? 'create' : 'count', told, message: text, count }
  }
}

function groupOf({ groups }: Subject, { level, reason, message }: Occurrence, now: Us): Group {
  for (const group of groups) if (group.reason === reason && group.level === level) return group
  const group: Group = {
    level,
    reason,
    messages: undefined,
    at: now,
    first: message,
    firstTold: { count: 0, event: undefined },
    others: undefined,
    combined: undefined,
  }
  groups.push(group)
  return group
}

function toldOf(group: Group, message: string): Told {
  if (message === group.first) return group.firstTold
  group.others ??= new Map()
  let told = group.others.get(message)
  if (!told) {
    told = { count: 0, event: undefined }
    group.others.set(message, told)
  }
  return told
}

function combinedOf(group: Group): Told {
  group.combined ??= { count: 0, event: undefined }
  return group.combined
}

function affords({ budgets }: Subject, level: string, now: Us): boolean {
  let budget = budgets.find((known) => known.level === level)
  if (!budget) {
    budget = { level, bucket: new TokenBucket(SPAM) }
    budgets.push(budget)
  }
  return budget.bucket.tryTake(now)
}

function isOneOfMany(group: Group, message: string, now: Us): boolean {
  const quiet = now - group.at > SIMILAR_WITHIN
  group.at = now
  if (!group.messages && !quiet && message === group.first) return false
  if (quiet) group.messages = []
  group.messages ??= [group.first]
  if (!group.messages.includes(message)) group.messages.push(message)
  if (group.messages.length < MAX_DIFFERENT) return false
  group.messages.shift()
  return true
}
