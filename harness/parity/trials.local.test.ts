import { rmSync } from 'node:fs'
import { afterAll, it as always, beforeAll, expect } from 'vitest'
import { defaultProfile } from '../../sandbox/kube/lag.ts'
import { whyUnavailable } from '../../sandbox/tiers/control-plane/binaries.ts'
import { local } from '../../sandbox/tiers/local/local.ts'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { within } from '../expectations/check.ts'
import { judgePlatform } from '../judge-platform.ts'
import { loadPlatform } from '../platform/load.ts'
import type { Platform } from '../platform/platform.ts'
import { folderWith } from '../platform/testing/folder.ts'
import { at, defineScenario, inferenceServer } from '../scenario.ts'
import { newImage, rolloutComplete } from '../words.ts'
import type { Comparison } from './comparison.ts'
import { compareCases, type ParityCase, type ParityOptions, type ParitySide, prepareCase } from './trials.ts'

const it = always.skipIf(await whyUnavailable())

const simulated: ParitySide = { label: 'sim', tier: sim, lag: defaultProfile, virtual: true }
const real: ParitySide = { label: 'local', tier: local, lag: defaultProfile, virtual: false }
const options: ParityOptions = { sides: [simulated, real], seed: 1, seedsOfChance: 0, jobs: 2 }

const scenario = defineScenario({
  slug: 'short-rollout',
  title: 'A rollout, where the server is up in seconds',
  decidedBy: 'manifests',
  needs: [inferenceServer()],
  load: true,
  timeline: [at('2s', newImage())],
  during: [],
  after: [within('progressDeadline', rolloutComplete())],
  watchFor: '1s',
})

const deploymentWith = (maxSurge: number) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: chat }
spec:
  replicas: 2
  progressDeadlineSeconds: 20
  selector: { matchLabels: { app: chat } }
  strategy: { rollingUpdate: { maxSurge: ${maxSurge}, maxUnavailable: ${1 - maxSurge} } }
  template:
    metadata: { labels: { app: chat } }
    spec:
      terminationGracePeriodSeconds: 2
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.11.0
          args: [--model=meta-llama/Llama-3.1-8B-Instruct, --max-model-len=8192]
          ports: [{ name: http, containerPort: 8000 }]
          resources: { limits: { nvidia.com/gpu: 1 } }
          readinessProbe: { httpGet: { path: /health, port: http }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: chat }
spec: { selector: { app: chat }, ports: [{ port: 80, targetPort: http }] }
`

const CONFIG = `
name: quick
nodes: [{ name: gpu, count: 2, cpu: "16", memory: 128Gi, gpu: { product: NVIDIA-H100-80GB-HBM3, count: 1 } }]
models: { meta-llama/Llama-3.1-8B-Instruct: { loadTime: 1s } }
images: { vllm/vllm-openai:v0.11.0: { size: 100MB } }
registry: { bandwidth: 1GB/s }
workloads: { chat: { arrival: { rate: 2/s, kind: poisson }, promptTokens: 100, outputTokens: 20, timeout: 5s } }
`

const folders: string[] = []
let [fits, doesNotFit]: Platform[] = []

beforeAll(async () => {
  const load = async (maxSurge: number) => {
    const cwd = folderWith({ 'deploy.yaml': deploymentWith(maxSurge), 'seatrial.yaml': CONFIG })
    folders.push(cwd)
    return await loadPlatform({ paths: ['.'], cwd })
  }
  fits = await load(0)
  doesNotFit = await load(1)
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const caseOf = (sample: string, platformOf: (side: ParitySide) => Platform): ParityCase => ({
  scenario,
  sample,
  on: (side) => judgePlatform(platformOf(side), { capabilities: side.tier.capabilities, lag: side.lag }).judgeables[0]!,
})

/** Compares the same platform, and two that are not; in one wall time. */
async function compared(): Promise<ReadonlyMap<string, Comparison>> {
  const cases = [caseOf('same', () => fits!), caseOf('other', (side) => (side === real ? fits! : doesNotFit!))]
  const prepared = await Promise.all(cases.map((of) => prepareCase(of, options)))
  const found = new Map<string, Comparison>()
  for await (const result of compareCases(prepared, options)) {
    if ('error' in result) throw result.error.cause
    found.set(result.of.sample, result.comparison)
  }
  return found
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

it('the real control plane decides as the simulated one, each decision within its period; another platform is told apart', async () => {
  let found = await compared()
  const isBusy = [...found.values()].some(
    ({ verdict, differences }) => verdict === 'undecided' || (verdict === 'same' && differences.length > 0),
  )
  // once more where the machine did something else meanwhile
  if (isBusy) found = await compared()
  const same = found.get('same')!
  expect(same.sides.map(({ outcome, invalid }) => [outcome, ...invalid])).toEqual([['PASS'], ['PASS']])
  expect(same.verdict).toBe('same')
  const both = Object.fromEntries(same.streams.map((one) => [one.stream, one.both]))
  for (const stream of ['placement', 'replicas', 'rollouts', 'faults']) expect(both[stream]).toBeGreaterThan(0)
  expect(same.differences).toEqual([])
  const other = found.get('other')!
  expect(other.sides.map(({ outcome }) => outcome)).toEqual(['FAIL', 'PASS'])
  expect(other.verdict).toBe('differs')
  expect(sum(other.streams.map(({ onlyA, onlyB }) => onlyA + onlyB))).toBeGreaterThan(0)
}, 240_000)
