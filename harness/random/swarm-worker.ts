import { parentPort } from 'node:worker_threads'
import { type DrillResult, runDrill } from './drill.ts'
import { randomPlan } from './generate/faults.ts'
import { randomPlatform } from './generate/platform.ts'

/** A platform and a seed to run it with; `twice` to compare the journals of two runs. */
export interface SwarmRequest {
  readonly platform: number
  readonly seed: number
  readonly twice: boolean
}

/** What came of it. */
export interface SwarmReply extends SwarmRequest {
  readonly result: DrillResult
}

/** Runs one case; a second time where asked, holding that the journal is the same. */
export async function runCase(request: SwarmRequest): Promise<SwarmReply> {
  const run = () => runDrill(randomPlatform(request.platform), randomPlan(request.seed, request.platform), request.seed)
  const result = await run()
  if (!request.twice) return { ...request, result }
  const { hash } = await run()
  if (hash === result.hash) return { ...request, result }
  const differs = { invariant: 'not-the-same-twice', at: 0, what: `${result.hash} and ${hash}` }
  return { ...request, result: { ...result, violations: [...result.violations, differs] } }
}

parentPort?.on('message', async (request: SwarmRequest) => parentPort!.postMessage(await runCase(request)))
