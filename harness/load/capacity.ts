import { FrontEnd } from '../../sandbox/vllm/server/front-end.ts'
import type { RunnableServer } from '../../sandbox/vllm/server/resolve.ts'
import { VirtualClock } from '../../sandbox/world/clock.ts'
import { randomStream } from '../../sandbox/world/random.ts'
import { scaledTo } from './plan.ts'
import { prefixHashes } from './prefix.ts'
import { schedule } from './schedule.ts'
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
    const asked = backlogOf(workload)
    const key = JSON.stringify([settings, gpu.id, model.id, memory.numGpuBlocks, memory.limits, asked])
    let capacity = this.found.get(key)
    if (capacity === undefined) {
      capacity = capacityOf(server, asked)
      this.found.set(key, capacity)
    }
    return capacity
  }
}

/** The same requests, at a rate that says nothing. A recorded trace begins anew where the backlog is longer. */
function backlogOf(workload: Workload): Workload {
  const { retry: _, tenants, trace, ...rest } = scaledTo(workload, 1)
  const unshaped = { ...rest, shapes: [], ...(trace ? { trace: { ...trace, loop: true } } : {}) }
  if (!tenants) return { ...unshaped, requestsPerSecond: 1 }
  return { ...unshaped, tenants: tenants.map((tenant) => ({ ...tenant, shapes: [] })) }
}

/**
 * Requests a second that one replica can sustain of such a workload, whatever they wait: its engine is simulated under a backlog.
 * 0 when not one of its requests is answered.
 */
function capacityOf(server: RunnableServer, workload: Workload): number {
  const clock = new VirtualClock()
  const frontEnd = new FrontEnd(clock, server)
  const batch = server.memory.limits.maxNumSeqs * server.settings.dataParallelSize.value
  const count = Math.min(BACKLOG_MAX, BACKLOG_BATCHES * batch)
  const requests = schedule(workload, 0, (stream) => randomStream(1, `capacity/${stream}`))
  const finishedAt: number[] = []
  for (let i = 0; i < count; i++) {
    const request = requests.next().value
    if (!request) break
    const { promptTokens, outputTokens, prefix, priority } = request
    frontEnd.submit(
      {
        id: `c${i}`,
        model: server.settings.servedModelNames.value[0]!,
        promptTokens,
        outputTokens,
        stream: true,
        ...(prefix ? { prefixHashes: prefixHashes(prefix, promptTokens, server.memory.blockSize) } : {}),
        ...(priority === undefined ? {} : { priority }),
      },
      { firstToken: () => undefined, finished: ({ at }) => finishedAt.push(at), failed: () => undefined },
    )
  }
  for (let next = clock.nextAt(); next !== undefined; next = clock.nextAt()) clock.runUntil(next)
  const counted = Math.floor(finishedAt.length * COUNTED)
  return counted === 0 ? 0 : counted / (finishedAt[counted - 1]! / 1e6)
}
