import { fileURLToPath } from 'node:url'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { never, within } from '../expectations/check.ts'
import { judgePlatform } from '../judge-platform.ts'
import { loadPlatform } from '../platform/load.ts'
import { defineScenario, inferenceServer } from '../scenario.ts'
import { runTrial } from '../trial.ts'
import { requestsUnserved, rolloutComplete } from '../words.ts'
import { meter } from './meter.ts'

/** A drill as people would hold it: 30 minutes of 20 requests a second on 4 replicas of an 8B model. `node harness/bench/drill.bench.ts`. */
const scenario = defineScenario({
  slug: 'drill',
  title: 'Half an hour of load',
  decidedBy: 'manifests',
  needs: [inferenceServer()],
  load: true,
  timeline: [],
  during: [never(requestsUnserved({ outcomes: ['no-endpoints'] }))],
  after: [within('settle', rolloutComplete())],
  watchFor: '30m',
})

const cwd = fileURLToPath(new URL('./platforms/drill/', import.meta.url))
const { judgeables } = judgePlatform(await loadPlatform({ paths: ['.'], cwd }), { capabilities: sim.capabilities })
const setup = judgeables[0]!.prepare({})
let records = 0
let requests = 0
const cost = meter()
const result = await runTrial({
  scenario,
  setup,
  tier: sim,
  seed: 1,
  onRecord: ({ journal }) => {
    records = journal.records.length
    requests = journal.records.filter((record) => record.type === 'request' && record.outcome === 'ok').length
  },
})
if (result.outcome !== 'PASS') throw new Error(`the drill ended ${result.outcome}`)
console.log(JSON.stringify({ ...cost(), simulatedS: result.simulatedUs / 1e6, requests, records }))
