import { parentPort } from 'node:worker_threads'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { judgePlatform } from '../judge-platform.ts'
import type { Judgeable } from '../judgeable.ts'
import { runTrial } from '../trial.ts'
import type { Opening, TrialReply, TrialRequest } from './messages.ts'
import { unpacked } from './portable.ts'

// What a thread does: is told the platform, then runs the trials it is sent, one after the other.

const port = parentPort!
let judgeables: readonly Judgeable[] = []

port.on('message', async (message: Opening | TrialRequest) => {
  if ('platform' in message) open(message)
  else port.postMessage(await answer(message))
})

function open({ platform, lag }: Opening): void {
  judgeables = judgePlatform(unpacked(platform), { capabilities: sim.capabilities, lag }).judgeables
}

async function answer({ id, scenario, subject, seed, overrides }: TrialRequest): Promise<TrialReply> {
  try {
    const judgeable = judgeables.find((one) => one.key === subject)
    if (!judgeable) throw new RangeError(`no inference server ${subject}`)
    return { id, result: await runTrial({ scenario, setup: judgeable.prepare(overrides), tier: sim, seed }) }
  } catch (error) {
    const { message, stack } = error as Error
    return { id, error: { message, ...(stack === undefined ? {} : { stack }) } }
  }
}
