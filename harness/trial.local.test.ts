import { rmSync } from 'node:fs'
import { it as always, expect } from 'vitest'
import { whyUnavailable } from '../sandbox/tiers/control-plane/binaries.ts'
import { local } from '../sandbox/tiers/local/local.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import type { Tier } from '../sandbox/tiers/tier.ts'
import { within } from './expectations/check.ts'
import { judgePlatform } from './judge-platform.ts'
import { loadPlatform } from './platform/load.ts'
import { folderWith } from './platform/testing/folder.ts'
import { at, defineScenario, inferenceServer } from './scenario.ts'
import { runTrial } from './trial.ts'
import { brokenIn } from './verdict/verdict.ts'
import { newImage, rolloutComplete } from './words.ts'

const it = always.skipIf(await whyUnavailable())

const scenario = defineScenario({
  slug: 'short-rollout',
  title: 'A rollout, where the server is up in seconds',
  decidedBy: 'manifests',
  needs: [inferenceServer()],
  load: true,
  timeline: [at('5s', newImage())],
  during: [],
  after: [within('progressDeadline', rolloutComplete())],
  watchFor: '5s',
})

const deploymentWith = (maxSurge: number) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: chat }
spec:
  replicas: 2
  progressDeadlineSeconds: 45
  selector: { matchLabels: { app: chat } }
  strategy: { rollingUpdate: { maxSurge: ${maxSurge}, maxUnavailable: ${1 - maxSurge} } }
  template:
    metadata: { labels: { app: chat } }
    spec:
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
models: { meta-llama/Llama-3.1-8B-Instruct: { loadTime: 3s } }
images: { vllm/vllm-openai:v0.11.0: { size: 1GB } }
registry: { bandwidth: 1GB/s }
workloads: { chat: { arrival: { rate: 2/s, kind: poisson }, promptTokens: 100, outputTokens: 20 } }
`

/** Once more where the machine did something else meanwhile. */
async function trialOn(tier: Tier, maxSurge: number) {
  const folder = folderWith({ 'deploy.yaml': deploymentWith(maxSurge), 'seatrial.yaml': CONFIG })
  try {
    const platform = await loadPlatform({ paths: ['.'], cwd: folder })
    const judgeable = judgePlatform(platform, { capabilities: tier.capabilities }).judgeables[0]!
    const spec = { scenario, setup: judgeable.prepare({}), tier, seed: 1 }
    const result = await runTrial(spec)
    return result.invalid.some(({ code }) => code === 'MACHINE_TOO_SLOW') ? await runTrial(spec) : result
  } finally {
    rmSync(folder, { recursive: true })
  }
}

it('a trial comes to the same under the real control plane as simulated', async () => {
  const [surges, makesRoom] = await Promise.all([trialOn(local, 1), trialOn(local, 0)])
  expect(makesRoom).toMatchObject({ invalid: [], outcome: 'PASS' })
  expect(surges).toMatchObject({ invalid: [], outcome: 'FAIL' })
  const simulated = await trialOn(sim, 1)
  expect(simulated.outcome).toBe('FAIL')
  expect(brokenIn(surges)[0]!.cause).toBe(brokenIn(simulated)[0]!.cause)
  expect(makesRoom.requests.ok).toBeGreaterThan(0)
  // times count from the begin of the trial
  expect(brokenIn(surges)[0]!.at).toBeLessThan(makesRoom.simulatedUs * 4)
}, 300_000)
