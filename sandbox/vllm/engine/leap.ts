import type { Us } from '../../world/time.ts'
import type { Batch } from './batch.ts'
import type { EngineMetrics } from './metrics.ts'
import { setGauges } from './outputs.ts'
import type { Pipeline } from './pipeline.ts'
import type { Scheduler } from './scheduler.ts'
import type { ResolvedEngineConfig, StepLoad, StepModel } from './types.ts'

/** Steps planned at once: what an arrival in the middle throws away. */
const STEPS_MAX = 64
/** Fewer are not worth planning. */
const STEPS_MIN = 2
const PS_PER_US = 1e6
const US_PER_SECOND = 1e6

/** What all launched steps come to. */
export interface Launched {
  steps: number
  us: number
}

/**
 * A run of decode steps over one unchanging batch: every running request gets one token in each, none ends, none comes,
 * and every block that is needed is free. `plan` works out when these steps end; `take` makes the first of them happen at
 * once, with the sums, in the order of additions, that single steps would leave.
 *
 * A step of the plan is the end of the step under way that ends first, and the launch of a further one.
 */
export class Leap {
  /** Steps planned and not taken yet. */
  left = 0
  private readonly scheduler: Scheduler
  private readonly stepModel: StepModel
  private readonly config: ResolvedEngineConfig
  private taken = 0
  /** Requests in the batch. */
  private count = 0
  /** Steps under way. */
  private depth = 0
  /** Ends of the steps under way, then of those to be launched: µs, and picoseconds beyond. */
  private readonly endUs = new Float64Array(STEPS_MAX + 2)
  private readonly endPs = new Float64Array(STEPS_MAX + 2)
  private readonly stepPs = new Float64Array(STEPS_MAX)
  /** When all got their last token, µs with fraction. */
  private lastTokenAt = 0
  /** First of the requests (index in `running`) that need a block at step s of every `blockSize`, and who is next. */
  private readonly firstNeedy: Int32Array
  private readonly needs: Int32Array
  private readonly nextNeedy: Int32Array
  private readonly load: StepLoad = { tokens: 0, sequences: 0, sampled: 0, kvTokens: 0, prefillPairs: 0 }

  constructor(scheduler: Scheduler, stepModel: StepModel, config: ResolvedEngineConfig) {
    this.config = config
    this.scheduler = scheduler
    this.stepModel = stepModel
    this.firstNeedy = new Int32Array(scheduler.kv.blockSize)
    this.needs = new Int32Array(scheduler.kv.blockSize)
    this.nextNeedy = new Int32Array(config.maxNumSeqs)
  }

  /** Forgets what is planned: something is about to change. */
  drop(): void {
    this.left = 0
  }

  /** Plans the steps after those under way, as many as stay alike; none where they are not. */
  plan(underWay: Pipeline, slowdown: number): void {
    this.left = 0
    if (!this.scheduler.steady) return
    for (let i = 0; i < underWay.count; i++) if (!this.isPlainDecode(underWay.at(i))) return
    this.count = this.scheduler.running.length
    const steps = this.withinBlocks(this.stepsAlike(underWay.count))
    if (steps < STEPS_MIN) return
    this.depth = underWay.count
    this.taken = 0
    this.left = steps
    this.timeSteps(underWay, slowdown)
  }

  /** When the last planned step ends. */
  get endsAt(): Us {
    return this.endOf(this.taken + this.left - 1)
  }

  /** Takes the planned steps that end by `now`; false when there are none. What is under way then ends later. */
  take(now: Us, underWay: Pipeline, metrics: EngineMetrics, launched: Launched): boolean {
    const from = this.taken
    let to = from
    const end = from + this.left
    if (this.endOf(end - 1) <= now) to = end
    else while (this.endOf(to) <= now) to++
    if (to === from) return false
    this.takeBlocks(from, to, metrics)
    this.record(from, to, metrics, launched)
    this.advanceRequests(to - from)
    this.taken = to
    this.left = end - to
    for (let i = 0; i < this.depth; i++) {
      const batch = underWay.at(i)
      batch.endUs = this.endUs[to + i]!
      batch.endPs = this.endPs[to + i]!
    }
    return true
  }

  private endOf(step: number): Us {
    return this.endPs[step]! > 0 ? this.endUs[step]! + 1 : this.endUs[step]!
  }

  /** One token for each running request, in the order in which they run. */
  private isPlainDecode({ count, tokens, sampled, slots, serials, departures }: Batch): boolean {
    const { running, table } = this.scheduler
    if (count !== running.length || tokens !== count || sampled !== count || departures !== table.departures)
      return false
    for (let i = 0; i < count; i++) if (slots[i] !== running[i] || serials[i] !== table.serial[slots[i]!]) return false
    return true
  }

  /** Steps until a request ends or is not scheduled any more; 0 when their next tokens are not plain ones. */
  private stepsAlike(depth: number): number {
    const { running, table } = this.scheduler
    const { maxModelLen, asyncScheduling } = this.config
    const { numTokens, endTokens, limitTokens, computed, placeholders, marks, lastTokenAt } = table
    const last = lastTokenAt[running[0]!]!
    let steps = STEPS_MAX
    for (const slot of running) {
      if (marks[slot] !== 0 || lastTokenAt[slot] !== last) return 0
      const pending = placeholders[slot]!
      const done = computed[slot]!
      if (numTokens[slot]! + depth - done !== 1 || pending !== (asyncScheduling ? depth : 0)) return 0
      steps = Math.min(steps, endTokens[slot]! - numTokens[slot]! - 1, maxModelLen - 1 - done)
      if (pending > 1) steps = Math.min(steps, limitTokens[slot]! - done - 3 + pending)
    }
    this.lastTokenAt = last
    return steps
  }

  /** Sorts requests by when they need blocks, and ends the plan before there is none. */
  private withinBlocks(steps: number): number {
    if (steps < STEPS_MIN) return 0
    const { firstNeedy, needs, nextNeedy } = this
    const { running, table, kv } = this.scheduler
    const { computed, numBlocks } = table
    firstNeedy.fill(-1)
    needs.fill(0)
    for (let i = running.length - 1; i >= 0; i--) {
      const slot = running[i]!
      const step = numBlocks[slot]! * kv.blockSize - computed[slot]!
      if (step < 0 || step >= kv.blockSize) return 0
      nextNeedy[i] = firstNeedy[step]!
      firstNeedy[step] = i
      needs[step] = needs[step]! + 1
    }
    let free = kv.pool.numFree
    for (let step = 0; step < steps; step++) {
      free -= needs[step % kv.blockSize]!
      if (free < 0) return step
    }
    return steps
  }

  private timeSteps(underWay: Pipeline, slowdown: number): void {
    const { depth, count, left, endUs, endPs, stepPs, load, stepModel } = this
    for (let i = 0; i < depth; i++) {
      endUs[i] = underWay.at(i).endUs
      endPs[i] = underWay.at(i).endPs
    }
    load.tokens = load.sequences = load.sampled = count
    load.prefillPairs = 0
    let kvTokens = 0
    for (const slot of this.scheduler.running) kvTokens += this.scheduler.table.computed[slot]!
    for (let step = 0; step < left; step++) {
      kvTokens += count
      load.kvTokens = kvTokens
      const model = stepModel.stepTimePs(load)
      const timePs = slowdown === 1 ? model : Math.round(model * slowdown)
      const total = endPs[depth + step - 1]! + timePs
      const carry = Math.floor(total / PS_PER_US)
      stepPs[step] = timePs
      endUs[depth + step] = endUs[depth + step - 1]! + carry
      endPs[depth + step] = total - carry * PS_PER_US
    }
  }

  /** Gauges are those of the last step's end, before the launch that follows it. */
  private takeBlocks(from: number, to: number, metrics: EngineMetrics): void {
    const { firstNeedy, nextNeedy } = this
    const { running, table, kv } = this.scheduler
    for (let step = from; step < to; step++) {
      if (step === to - 1) setGauges(this.scheduler, metrics, this.endOf(step))
      for (let i = firstNeedy[step % kv.blockSize]!; i >= 0; i = nextNeedy[i]!) {
        const slot = running[i]!
        kv.extend(slot, table.numBlocks[slot]! * kv.blockSize + 1)
      }
    }
  }

  private record(from: number, to: number, metrics: EngineMetrics, launched: Launched): void {
    const { count, endUs, endPs, stepPs } = this
    const { interTokenLatency } = metrics
    let last = this.lastTokenAt
    for (let step = from; step < to; step++) {
      const time = endUs[step]! + endPs[step]! / PS_PER_US
      interTokenLatency.observe((time - last) / US_PER_SECOND, count)
      last = time
      launched.us += stepPs[step]! / PS_PER_US
    }
    this.lastTokenAt = last
    const steps = to - from
    launched.steps += steps
    metrics.generationTokens += steps * count
    metrics.iterationTokens.observe(count, steps)
  }

  private advanceRequests(steps: number): void {
    const { running, table, kv } = this.scheduler
    const { numTokens, computed, lastTokenAt, cachedBlocks } = table
    const { lastTokenAt: time } = this
    for (let i = 0; i < running.length; i++) {
      const slot = running[i]!
      const known = numTokens[slot]! + steps
      numTokens[slot] = known
      computed[slot] = computed[slot]! + steps
      lastTokenAt[slot] = time
      if (known >= (cachedBlocks[slot]! + 1) * kv.blockSize) kv.cacheUpTo(slot, known)
    }
  }
}
