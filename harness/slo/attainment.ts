import type { RequestRecord } from '../../sandbox/journal/record.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { OpenRequest } from '../load/simulated-sender.ts'
import { gradeOf, gradeOpen } from './grade.ts'
import { type Objective, samplesNeeded, shareNeeded } from './objective.ts'
import { type UnderWay, type Window, Windows } from './windows.ts'

/** What a window says of its objective. */
export interface Judgement {
  readonly window: Window
  /** Share of the good among those judged. */
  readonly share: number
  readonly broken: boolean
}

/** What of a trial is looked at. */
export interface Moment {
  readonly now: Us
  /** Requests under way now. */
  readonly open: Iterable<OpenRequest>
}

/** Buckets a window is made of: it slides by one of them. */
const BUCKETS = 12
/** Where requests are few a window is as long as it takes for so many times what an objective needs. */
const ROOM = 1.5
/** Requests from which on a few say something. */
const FEW = 20

/**
 * One objective followed over the requests of one kind of clients. Windows have the length asked for, or are longer where so few requests come
 * that none could be judged.
 */
export class Attainment {
  readonly objective: Objective
  /** Whose requests: a tenant's name, or undefined for all. */
  readonly tenant: string | undefined
  private readonly windowUs: Us
  private readonly windows: Windows
  private readonly startUs: Us
  private count = 0

  /** `startUs`: when the load begins. */
  constructor(options: { objective: Objective; windowUs: Us; startUs: Us; tenant?: string | undefined }) {
    this.objective = options.objective
    this.tenant = options.tenant
    this.windowUs = options.windowUs
    this.startUs = options.startUs
    this.windows = new Windows(options.startUs, Math.max(1, Math.round(options.windowUs / BUCKETS)))
  }

  /** Whether a request is one of those looked at. */
  takes({ tenant }: { readonly tenant?: string | undefined }): boolean {
    return this.tenant === undefined || tenant === this.tenant
  }

  /** O(1). */
  add(record: RequestRecord): void {
    if (!this.takes(record) || record.intendedAt < this.startUs) return
    const good = gradeOf(record, this.objective)
    if (good === undefined) return
    this.count++
    this.windows.add(record.intendedAt, good)
  }

  /** Requests so far that say something about the objective. */
  get samples(): number {
    return this.count
  }

  /** None of at least 20 requests was bad: enough of an objective that is only assumed, and would need more of them. */
  flawless(moment: Moment): boolean {
    const { judged, good } = this.windows.whole(moment.now, this.underWay(moment))
    return judged >= FEW && good === judged
  }

  /** How far apart windows begin. */
  get stepUs(): Us {
    return this.windows.bucketUs
  }

  /** The worst window with enough requests, the first of several as bad; undefined where there are too few in all. */
  worst(moment: Moment): Judgement | undefined {
    let worst: Judgement | undefined
    for (const judgement of this.judged(moment)) if (!worst || judgement.share < worst.share) worst = judgement
    return worst
  }

  /** The first window that broke the objective. */
  firstBroken(moment: Moment): Judgement | undefined {
    for (const judgement of this.judged(moment)) if (judgement.broken) return judgement
    return undefined
  }

  /** The last window, begun at `sinceUs` or later, that broke the objective. */
  lastBroken(sinceUs: Us, moment: Moment): Judgement | undefined {
    let last: Judgement | undefined
    for (const judgement of this.judged(moment))
      if (judgement.broken && judgement.window.fromUs >= sinceUs) last = judgement
    return last
  }

  /**
   * The first window after which none is broken, begun at `sinceUs` or later, in which enough requests are known to be good whatever becomes
   * of those under way. Undefined while there is none.
   */
  recovered(sinceUs: Us, moment: Moment): Window | undefined {
    const needed = samplesNeeded(this.objective)
    let found: Window | undefined
    for (const window of this.windowsAt(moment)) {
      if (window.fromUs < sinceUs) continue
      const bad = window.judged - window.good
      // among fewer than are needed a bad one may be the one that is allowed
      if (bad > allowedAmong(Math.max(window.judged, needed), this.objective)) found = undefined
      else if (
        window.judged >= needed &&
        bad + window.pending <= allowedAmong(window.judged + window.pending, this.objective)
      )
        found ??= window
    }
    return found
  }

  private *judged(moment: Moment): Generator<Judgement, void> {
    const needed = samplesNeeded(this.objective)
    let any = false
    for (const window of this.windowsAt(moment)) {
      if (window.judged < needed) continue
      any = true
      yield this.judge(window)
    }
    if (any) return
    const whole = this.windows.whole(moment.now, this.underWay(moment))
    if (whole.judged >= needed) yield this.judge(whole)
  }

  private judge(window: Window): Judgement {
    const bad = window.judged - window.good
    return { window, share: window.good / window.judged, broken: bad > allowedAmong(window.judged, this.objective) }
  }

  private *windowsAt(moment: Moment): Generator<Window, void> {
    const underWay = this.underWay(moment)
    const { judged, pending } = this.windows.whole(moment.now, underWay)
    const perUs = (judged + pending) / Math.max(1, moment.now - this.startUs)
    if (perUs === 0) return
    const length = Math.max(this.windowUs, (ROOM * samplesNeeded(this.objective)) / perUs)
    yield* this.windows.all(length, moment.now, underWay)
  }

  private underWay({ now, open }: Moment): UnderWay {
    const [late, pending]: [Us[], Us[]] = [[], []]
    for (const request of open) {
      if (!this.takes(request) || request.intendedAt < this.startUs) continue
      const good = gradeOpen(request, this.objective, now)
      if (good === false) late.push(request.intendedAt)
      else pending.push(request.intendedAt)
    }
    return { late, pending }
  }
}

/** How many of `n` requests may be bad. The p-th percentile, by nearest rank, is within its limit just when no more are beyond it. */
export const allowedAmong = (n: number, objective: Objective): number =>
  n - Math.ceil(Number((shareNeeded(objective) * n).toPrecision(12)))
