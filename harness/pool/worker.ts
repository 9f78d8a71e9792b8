import { parentPort, workerData } from 'node:worker_threads'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { judgePlatform } from '../judge-platform.ts'
import { runTrial } from '../trial.ts'
import type { TrialReply, TrialRequest, WorkerData } from './messages.ts'
import { unpacked } from './portable.ts'

// One thread of the pool: reads the platform once, then runs the trials it is sent, one after the other.

const { platform, lag } = workerData as WorkerData
const { judgeables } = judgePlatform(unpacked(platform), { capabilities: sim.capabilities, lag })
const port = parentPort!

port.on('message', async ({ id, scenario, subject, seed, overrides }: TrialRequest) => {
  const answer = (reply: TrialReply) => port.postMessage(reply)
  try {
    const judgeable = judgeables.find((one) => one.key === subject)
    if (!judgeable) throw new RangeError(`no inference server ${subject}`)
    answer({ id, result: await runTrial({ scenario, setup: judgeable.prepare(overrides), tier: sim, seed }) })
  } catch (error) {
    const { message, stack } = error as Error
    answer({ id, error: { message, ...(stack === undefined ? {} : { stack }) } })
  }
})
