import { parentPort } from 'node:worker_threads'
import { sim } from '../../../../sandbox/tiers/sim/sim.ts'
import { never } from '../../../expectations/check.ts'
import { judgePlatform } from '../../../judge-platform.ts'
import { defineScenario, inferenceServer } from '../../../scenario.ts'
import { runTrial } from '../../../trial.ts'
import { containerRestarted } from '../../../words.ts'
import { PlatformError, PlatformErrors } from '../../errors.ts'
import { type LoadOptions, loadPlatform } from '../../load.ts'

/** What a thread is asked to judge: everything as it would come from the command line. */
export type HostileRequest = Pick<LoadOptions, 'paths' | 'cwd' | 'limits'> & {
  readonly stdin?: string | Uint8Array
  readonly config?: string
}

/** What came of it. */
export interface HostileReply {
  readonly outcome: 'refused' | 'judged' | 'crashed'
  /** What the user reads, in full. */
  readonly text: string
  /** Places of the errors: the first only, there may be very many. */
  readonly line?: number
  readonly file?: string
  readonly exitCode?: number
  /** Processor time of the thread. */
  readonly cpuMs: number
}

/** Short, so that it is not the time of a trial that is measured: everything starts, serves and is asked by its autoscalers. */
const scenario = defineScenario({
  slug: 'hostile',
  title: 'A minute of load',
  decidedBy: 'manifests',
  needs: [inferenceServer()],
  load: true,
  timeline: [],
  during: [never(containerRestarted({ by: ['liveness', 'startup'] }))],
  after: [],
  watchFor: '1m',
})

async function judge({ config, ...options }: HostileRequest): Promise<Omit<HostileReply, 'cpuMs'>> {
  try {
    const configText = config === undefined ? {} : { configText: { file: 'seatrial.yaml', text: config } }
    const platform = await loadPlatform({ ...options, ...configText })
    const { judgeables } = judgePlatform(platform, { capabilities: sim.capabilities })
    const texts: unknown[] = platform.notes.map(({ file, message }) => `${file}: ${message}`)
    for (const judgeable of judgeables) {
      const blockers = judgeable.blockersFor(scenario)
      texts.push(blockers)
      if (blockers.length > 0) continue
      const { outcome, ...result } = await runTrial({ scenario, setup: judgeable.prepare({}), tier: sim, seed: 1 })
      texts.push(outcome, result)
    }
    return { outcome: 'judged', text: JSON.stringify(texts).slice(0, 10_000) }
  } catch (error) {
    if (error instanceof PlatformErrors || error instanceof PlatformError) {
      const first = error instanceof PlatformErrors ? error.errors[0]! : error
      const { line, file } = first
      return {
        outcome: 'refused',
        text: error instanceof PlatformErrors ? error.message : error.format(),
        exitCode: error.exitCode,
        ...(line === undefined ? {} : { line }),
        ...(file === undefined ? {} : { file }),
      }
    }
    return { outcome: 'crashed', text: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

parentPort?.on('message', async (request: HostileRequest) => {
  const from = process.threadCpuUsage()
  const reply = await judge(request)
  const { user, system } = process.threadCpuUsage(from)
  parentPort!.postMessage({ ...reply, cpuMs: Math.round((user + system) / 1000) } satisfies HostileReply)
})
