import { readFileSync, rmSync } from 'node:fs'
import { afterAll, expect, it } from 'vitest'
import { judgePlatform } from '../harness/judge-platform.ts'
import { loadPlatform } from '../harness/platform/load.ts'
import { folderWith } from '../harness/platform/testing/folder.ts'
import { runTrial } from '../harness/trial.ts'
import type { TrialResult } from '../harness/verdict/verdict.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import { scenarios } from './index.ts'

const BAD = new URL('./engine-hung-health-ok/bad/health-only/', import.meta.url)
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const RULES = `apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: { name: chat }
spec:
  selector: { matchLabels: { app: chat } }
  podMetricsEndpoints: [{ port: http, interval: 15s }]
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: { name: chat }
spec:
  groups:
    - name: chat
      interval: 30s
      rules:
        - alert: EngineStuck
          expr: rate(vllm:generation_tokens_total[2m]) == 0 and vllm:num_requests_running > 0
          for: 1m
        - alert: CacheFull
          expr: vllm:kv_cache_usage_perc > 0.95
`

/** With the alerts evaluated, or without. */
async function trial(evaluated: boolean): Promise<TrialResult> {
  const own = Object.fromEntries(
    ['deploy.yaml', 'seatrial.yaml'].map((name) => [name, readFileSync(new URL(name, BAD), 'utf8')]),
  )
  const folder = folderWith({ ...own, 'rules.yaml': RULES })
  folders.push(folder)
  const platform = await loadPlatform({ paths: ['.'], cwd: folder })
  const judgeable = judgePlatform(platform, { capabilities: sim.capabilities }).judgeables[0]!
  const scenario = judgeable.withParameters(scenarios.find(({ slug }) => slug === 'engine-hung-health-ok')!)
  const setup = judgeable.prepare({})
  const { alerting: _, ...quiet } = setup.monitoring
  return runTrial({
    scenario,
    setup: evaluated ? setup : { ...setup, alerts: [], monitoring: quiet },
    tier: sim,
    seed: 1,
  })
}

it('alerts tell of a hang, and change nothing else of a trial', async () => {
  const [without, withAlerts] = [await trial(false), await trial(true)]
  expect(without.alerts).toBeUndefined()
  const { alerts, journalHash: _, ...rest } = withAlerts
  const { journalHash: __, ...before } = without
  expect(rest).toEqual(before)
  expect(alerts!.fired.map(({ alert }) => alert)).toEqual(['EngineStuck'])
  expect(alerts!.silent.map(({ alert }) => alert)).toEqual(['CacheFull'])
  // the rate is zero two minutes after the last token, and must be for one more
  const { firedAt } = alerts!.fired[0]!
  expect(firedAt - alerts!.faultAt).toBeGreaterThan(150e6)
  expect(firedAt - alerts!.faultAt).toBeLessThan(240e6)
  expect(alerts!.harm!.firstAt).toBeLessThan(firedAt)
}, 60_000)
