import { judgePlatform } from '../harness/judge-platform.ts'
import { loadPlatform } from '../harness/platform/load.ts'
import { runTrial } from '../harness/trial.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import scenario from './rollout-on-full-gpus/scenario.ts'

/** Prints the journal's hash of one trial for each seed from the first argument to the second: a rollout that fails, under load. */
const [from = 1, to = 1] = process.argv.slice(2).map(Number)
const platform = await loadPlatform({
  paths: ['scenarios/rollout-on-full-gpus/bad/recreate-takes-all'],
  cwd: new URL('..', import.meta.url).pathname,
})
const judgeable = judgePlatform(platform, { capabilities: sim.capabilities }).judgeables[0]!
const setup = judgeable.prepare({})
for (let seed = from; seed <= to; seed++) {
  const { journalHash } = await runTrial({ scenario, setup, tier: sim, seed })
  process.stdout.write(`${journalHash}\n`)
}
