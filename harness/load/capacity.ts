import { FrontEnd } from '../../sandbox/vllm/server/front-end.ts'
import type { RunnableServer } from '../../sandbox/vllm/server/resolve.ts'
import { VirtualClock } from '../../sandbox/world/clock.ts'
import { randomStream } from '../../sandbox/world/random.ts'
import { sampleLength } from './lengths.ts'
import type { Workload } from './workload.ts'

/** Requests the engine is given at once; enough to fill its batch several times over. */
const BACKLOG_BATCHES = 3
const BACKLOG_MAX = 768
/** The rate is taken until this share has finished: the last ones run in ever smaller batches. */
const COUNTED = 0.75

/** Capacities found so far: trials of one platform ask for few. */
export class Capacities {
  private readonly found = new Map<string, number>()

  of(server: RunnableServer, workload: Workload): number {
    const { settings, gpu, model, memory } = server
    const key = JSON.stringify([settings, gpu.id, model.id, memory.numGpuBlocks, memory.limits, workload])
    let capacity = this.found.get(key)
    if (capacity === undefined) {
      capacity = capacityOf(server, workload)
      this.found.set(key, capacity)
    }
    return capacity
  }
}

/**
 * Requests a second that one replica can sustain with this workload's lengths, whatever they wait: its engine is simulated under a backlog.
 * 0 when not one of its requests is answered.
 */
function capacityOf(server: RunnableServer, workload: Workload): number {
  const clock = new VirtualClock()
  const frontEnd = new FrontEnd(clock, server)
  const random = randomStream(1, 'capacity')
  const batch = server.memory.limits.maxNumSeqs * server.settings.dataParallelSize.value
  const count = Math.min(BACKLOG_MAX, BACKLOG_BATCHES * batch)
  const finishedAt: number[] = []
  for (let i = 0; i < count; i++) {
    frontEnd.submit(
      {
        id: `c${i}`,
        model: server.settings.servedModelNames.value[0]!,
        promptTokens: sampleLength(workload.promptTokens, random),
        outputTokens: sampleLength(workload.outputTokens, random),
        stream: true,
      },
      { firstToken: () => undefined, finished: ({ at }) => finishedAt.push(at), failed: () => undefined },
    )
  }
  for (let next = clock.nextAt(); next !== undefined; next = clock.nextAt()) clock.runUntil(next)
  const counted = Math.floor(finishedAt.length * COUNTED)
  return counted === 0 ? 0 : counted / (finishedAt[counted - 1]! / 1e6)
}
