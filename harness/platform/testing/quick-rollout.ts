import { rmSync } from 'node:fs'
import { within } from '../../expectations/check.ts'
import { at, defineScenario, inferenceServer } from '../../scenario.ts'
import { newImage, rolloutComplete } from '../../words.ts'
import { loadPlatform } from '../load.ts'
import type { Platform } from '../platform.ts'
import { folderWith } from './folder.ts'

/** A rollout that is over in seconds, for tests in wall time. */
export const quickRollout = defineScenario({
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

const deploymentWith = (maxSurge: 0 | 1) => `
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

/** Two replicas on two GPUs. With a surge of 1 the rollout has no room and fails, with none it makes its own. */
export async function quickPlatform(maxSurge: 0 | 1): Promise<Platform> {
  const cwd = folderWith({ 'deploy.yaml': deploymentWith(maxSurge), 'seatrial.yaml': CONFIG })
  try {
    return await loadPlatform({ paths: ['.'], cwd })
  } finally {
    rmSync(cwd, { recursive: true })
  }
}
