import type { Clock } from '../../../world/clock.ts'
import { ms } from '../../../world/time.ts'
import type { EngineHost } from '../../engine/engine-host.ts'
import type { EngineControl, PauseMode } from '../serving.ts'
import type { OpenGenerations } from './open-generations.ts'

/** What a level of sleep takes from the GPU. */
const SLEEP_TAGS = ['weights', 'kv_cache']
/** How often a pause that waits looks whether anything still runs. */
const POLL_US = ms(1)

/** Pausing and sleeping, as vLLM's engine core does it. */
// follows vllm/v1/engine/core.py pause_scheduler, sleep and wake_up, and vllm/v1/executor/abstract.py
export class Control implements EngineControl {
  private readonly clock: Clock
  private readonly engines: readonly EngineHost[]
  private readonly generations: OpenGenerations
  private readonly asleep = new Set<string>()
  private isPaused = false

  constructor(clock: Clock, engines: readonly EngineHost[], generations: OpenGenerations) {
    this.clock = clock
    this.engines = engines
    this.generations = generations
  }

  get paused(): boolean {
    return this.isPaused
  }

  get sleeping(): boolean {
    return this.isPaused || this.asleep.size > 0
  }

  pause(mode: PauseMode, done: () => void): void {
    this.isPaused = true
    if (mode === 'abort') for (const engine of this.engines) engine.abortAll()
    for (const engine of this.engines) engine.pause(mode === 'keep' ? 'all' : 'new')
    if (mode === 'keep') this.clock.after(0, done)
    else this.whenIdle(done)
  }

  resume(): void {
    this.isPaused = false
    for (const engine of this.engines) engine.pause('none')
  }

  sleep(level: number, mode: PauseMode, done: () => void): void {
    this.pause(mode, () => {
      if (level > 0) for (const tag of SLEEP_TAGS) this.asleep.add(tag)
      if (level > 0) this.resetPrefixCache()
      done()
    })
  }

  wake(tags: readonly string[] | undefined): boolean {
    const wanted = tags?.filter((tag) => tag !== 'scheduling')
    if (!wanted) this.asleep.clear()
    else if (wanted.every((tag) => this.asleep.has(tag))) for (const tag of wanted) this.asleep.delete(tag)
    if (this.asleep.size > 0) return false
    this.resume()
    return true
  }

  abort(ids: readonly string[] | undefined): number {
    return this.generations.abortThese(ids)
  }

  resetPrefixCache(): boolean {
    return this.engines.map((host) => host.resetPrefixCache()).every((done) => done)
  }

  private whenIdle(done: () => void): void {
    if (this.engines.every((engine) => engine.stats().running === 0)) this.clock.after(0, done)
    else this.clock.after(POLL_US, () => this.whenIdle(done))
  }
}
