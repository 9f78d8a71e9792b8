import { fileURLToPath } from 'node:url'
import type { JournalRecord } from '../../sandbox/journal/record.ts'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { never, within } from '../expectations/check.ts'
import { judgePlatform } from '../judge-platform.ts'
import type { LoadPlan } from '../load/plan.ts'
import { loadPlatform } from '../platform/load.ts'
import { defineScenario, inferenceServer } from '../scenario.ts'
import { runTrial } from '../trial.ts'
import { requestsUnserved, rolloutComplete } from '../words.ts'
import { printCosts } from './meter.ts'

/** A case's platform and load, and how long it is watched when the load's last step is over. */
interface DrillCase {
  readonly platform: string
  readonly load: true | LoadPlan
  readonly watchFor: string
}

const CASES: Readonly<Record<string, DrillCase>> = {
  drill: { platform: 'drill', load: true, watchFor: '30m' },
  autoscaling: {
    platform: 'autoscaling',
    load: {
      base: 'given',
      steps: [
        { at: '10m', times: 2, over: '2m' },
        { at: '20m', times: 1, over: '2m' },
      ],
    },
    watchFor: '8m',
  },
  'autoscaling-20': {
    platform: 'autoscaling',
    load: {
      base: 'given',
      steps: [
        { at: '0s', times: 0.6 },
        { at: '3m', times: 1.8, over: '1m', for: '4m' },
        { at: '18m', times: 1.8, over: '1m', for: '4m' },
      ],
    },
    watchFor: '6m',
  },
}

/**
 * A drill as people would hold it: 30 minutes of 20 requests a second on 4 replicas of an 8B model. `node harness/bench/drill.bench.ts`;
 * with `autoscaling`, KEDA has 2 to 8 of them by what runs and waits, and the load doubles in between; with `autoscaling-20` as many
 * requests come as in the first, most of them in two bursts, so that KEDA takes replicas away between them and after.
 */
const { platform, load, watchFor } = CASES[process.argv[2] ?? 'drill']!
const scenario = defineScenario({
  slug: 'drill',
  title: 'Half an hour of load',
  decidedBy: 'manifests',
  needs: [inferenceServer()],
  load,
  timeline: [],
  during: [never(requestsUnserved({ outcomes: ['no-endpoints'] }))],
  after: load === true ? [within('settle', rolloutComplete())] : [],
  watchFor,
})

const cwd = fileURLToPath(new URL(`./platforms/${platform}/`, import.meta.url))
const { judgeables } = judgePlatform(await loadPlatform({ paths: ['.'], cwd }), { capabilities: sim.capabilities })

await printCosts(async () => {
  let most = 0
  let records = 0
  let requests = 0
  const result = await runTrial({
    scenario,
    setup: judgeables[0]!.prepare({}),
    tier: sim,
    seed: 1,
    onRecord: ({ journal }) => {
      records = journal.records.length
      most = mostReplicas(journal.records)
      requests = journal.records.filter((record) => record.type === 'request' && record.outcome === 'ok').length
    },
  })
  if (result.outcome !== 'PASS') throw new Error(`the drill ended ${result.outcome}`)
  return { simulatedS: result.simulatedUs / 1e6, requests, records, most }
})

function mostReplicas(records: readonly JournalRecord[]): number {
  const replicas = records.map((record) =>
    record.type === 'object' && record.kind === 'deployments.apps'
      ? ((record.value as { status?: { replicas?: number } } | undefined)?.status?.replicas ?? 0)
      : 0,
  )
  return replicas.reduce((most, now) => Math.max(most, now), 0)
}
