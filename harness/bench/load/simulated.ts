import { gpuById } from '../../../fixtures/gpus/lookup.ts'
import { Journal } from '../../../sandbox/journal/journal.ts'
import type { RequestRecord } from '../../../sandbox/journal/record.ts'
import type { Container, Pod } from '../../../sandbox/kube/objects.ts'
import { vllmProgram } from '../../../sandbox/vllm/server/program.ts'
import { resolveServer } from '../../../sandbox/vllm/server/resolve.ts'
import { VirtualClock } from '../../../sandbox/world/clock.ts'
import { seconds, type Us } from '../../../sandbox/world/time.ts'
import { createWorld } from '../../../sandbox/world/world.ts'
import { startLoad } from '../../load/simulated-sender.ts'
import type { Workload } from '../../load/workload.ts'

export interface SimulatedLoad {
  /** What follows `vllm serve`. */
  readonly args: readonly string[]
  /** By id. */
  readonly gpu: string
  readonly workload: Workload
  readonly server: string
  readonly seed: number
  readonly untilUs: Us
}

/** When the load begins: the server is up long before. */
const BEGINS: Us = seconds(100)

/** The requests of the simulator's own sender on one simulated server, with times since the load's start. */
export function simulated({ args, gpu, workload, server, seed, untilUs }: SimulatedLoad): RequestRecord[] {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed, journal: new Journal(clock) })
  const resolved = resolveServer(
    { image: 'vllm/vllm-openai:v0.32.0', command: ['vllm', 'serve', ...args] },
    {},
    {
      gpuProduct: gpuById(gpu)!.product,
      gpuCount: 1,
      prefetched: true,
    },
  )
  if (resolved.kind !== 'runs') throw new Error(`no such server: ${resolved.kind}`)
  const program = vllmProgram(resolved, { totalLoadUs: seconds(10) }).start({
    clock,
    random: world.random('vllm'),
    pod: {} as Pod,
    container: {} as Container,
    devices: [],
    log: () => {},
    exit: () => {},
  })
  clock.runUntil(BEGINS)
  const load = startLoad({
    world,
    route: { send: (request, observer) => program.inference!.submit(resolved.settings.port.value, request, observer) },
    workload,
    model: resolved.settings.servedModelNames.value[0]!,
    target: server,
    blockTokens: resolved.memory.blockSize,
  })
  clock.runUntil(BEGINS + untilUs)
  load.endSending()
  while (load.open() > 0) clock.runUntil(clock.now + seconds(1))
  return world.journal.records.flatMap((record) =>
    record.type === 'request' && record.intendedAt < BEGINS + untilUs
      ? [{ ...record, at: record.at - BEGINS, intendedAt: record.intendedAt - BEGINS }]
      : [],
  )
}
