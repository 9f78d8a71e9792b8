import type { Clock, Timer } from '../../world/clock.ts'
import { toSeconds, type Us } from '../../world/time.ts'
import type { EngineHost } from '../engine/engine-host.ts'
import type { LogRecord } from './log-format.ts'

interface Seen {
  readonly at: Us
  readonly promptTokens: number
  readonly generatedTokens: number
}

/**
 * The line that tells what an engine did since the last one. After the first interval without any work it falls silent. The hit rate is that
 * of all prompts, upstream's of the last thousand.
 */
// follows LoggingStatLogger in vllm/v1/metrics/loggers.py
export class StatisticsLog {
  private readonly clock: Clock
  private readonly engines: readonly EngineHost[]
  private readonly log: (record: LogRecord) => void
  private readonly intervalUs: Us
  private readonly seen: Seen[]
  private readonly busy: boolean[]
  private timer: Timer | undefined

  constructor(clock: Clock, engines: readonly EngineHost[], intervalUs: Us, log: (record: LogRecord) => void) {
    this.clock = clock
    this.engines = engines
    this.intervalUs = intervalUs
    this.log = log
    this.seen = engines.map((engine) => this.look(engine))
    this.busy = engines.map(() => false)
    this.arm()
  }

  stop(): void {
    this.timer?.cancel()
  }

  private arm(): void {
    this.timer = this.clock.after(this.intervalUs, () => {
      for (const [index, engine] of this.engines.entries()) this.tell(index, engine)
      this.arm()
    })
  }

  private look({ engine }: EngineHost): Seen {
    const { promptTokensComputed, generationTokens } = engine.metrics
    return { at: this.clock.now, promptTokens: promptTokensComputed, generatedTokens: generationTokens }
  }

  private tell(index: number, host: EngineHost): void {
    const { running, waiting, kvCacheUsage } = host.stats()
    const before = this.seen[index]!
    const now = this.look(host)
    this.seen[index] = now
    const elapsed = toSeconds(now.at - before.at)
    const prompt = (now.promptTokens - before.promptTokens) / elapsed
    const generation = (now.generatedTokens - before.generatedTokens) / elapsed
    const worked = prompt > 0 || generation > 0
    const tells = worked || this.busy[index]
    this.busy[index] = worked
    if (!tells) return
    const { prefixCacheQueries, prefixCacheHits } = host.engine.metrics
    const parts = [
      `Avg prompt throughput: ${prompt.toFixed(1)} tokens/s`,
      `Avg generation throughput: ${generation.toFixed(1)} tokens/s`,
      `Running: ${running} reqs`,
      `Waiting: ${waiting} reqs`,
      `GPU KV cache usage: ${(kvCacheUsage * 100).toFixed(1)}%`,
      ...(prefixCacheQueries > 0
        ? [`Prefix cache hit rate: ${((prefixCacheHits / prefixCacheQueries) * 100).toFixed(1)}%`]
        : []),
    ]
    const name = `Engine ${String(index).padStart(3, '0')}`
    this.log({ process: 'APIServer', level: 'INFO', where: 'loggers.py:335', text: `${name}: ${parts.join(', ')}` })
  }
}
