import { Store } from '../../sandbox/apiserver/store.ts'
import { Journal, type JournalHeader } from '../../sandbox/journal/journal.ts'
import { Pod } from '../../sandbox/kube/kinds.ts'
import type { Draft, Pod as PodObject, PodSpec } from '../../sandbox/kube/objects.ts'
import { VirtualClock } from '../../sandbox/world/clock.ts'
import { createWorld } from '../../sandbox/world/world.ts'

/** Pods written in six versions each, then their journal hashed. Run: `node harness/bench/journal.bench.ts`. */
const PODS = 4000

const header: JournalHeader = {
  schemaVersion: 1,
  seatrial: 'bench',
  seed: 1,
  scenario: 'bench',
  tier: 'sim',
  inputs: {},
}

const gpus = { 'nvidia.com/gpu': '8' }
const probe = { httpGet: { port: 8000, path: '/health' } } as unknown as PodSpec['containers'][number]['livenessProbe']
const template = {
  containers: [
    {
      name: 'vllm',
      image: 'vllm/vllm-openai:v0.10.2',
      args: ['--model', 'meta-llama/Llama-3.3-70B-Instruct', '--tensor-parallel-size', '8'],
      ports: [{ containerPort: 8000 }],
      resources: { limits: { ...gpus, cpu: '32', memory: '512Gi' } },
      livenessProbe: probe,
      readinessProbe: probe,
    },
  ],
} as unknown as PodSpec

function write(): { journal: Journal; writeMs: number } {
  const clock = new VirtualClock()
  const journal = new Journal(clock)
  const store = new Store({ world: createWorld({ clock, seed: 1, journal }) })
  const began = process.cpuUsage()
  let spec = template
  for (let i = 0; i < PODS; i++) {
    const draft: Draft<PodObject> = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'vllm-7c9d8-', labels: { app: 'vllm', 'pod-template-hash': '7c9d8' } },
      spec,
    }
    const pod = store.create(Pod, draft, 'kube-controller-manager')
    // later pods share what the first one's defaulting made, as pods of one ReplicaSet do
    spec = i === 0 ? Object.freeze({ ...template }) : spec
    const key = `default/${pod.metadata.name}`
    store.bind(Pod, key, pod.metadata.uid, `gpu-${i % 500}`, 'kube-scheduler')
    for (const [step, reason] of ['ContainerCreating', 'PodInitializing', 'Started', 'Ready'].entries())
      store.patch(Pod, key, statusOf(step, reason), `kubelet/gpu-${i % 500}`, { subresource: 'status' })
  }
  return { journal, writeMs: cpuMs(began) }
}

/** CPU time of this process since `began`, so that neighbours on the machine count as little as possible. */
const cpuMs = (began: NodeJS.CpuUsage): number => process.cpuUsage(began).user / 1e3

const statusOf = (step: number, reason: string) => ({
  status: {
    phase: step < 2 ? 'Pending' : 'Running',
    podIP: step < 1 ? undefined : '10.0.0.1',
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type, i) => ({
      type,
      status: i <= step ? 'True' : 'False',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    })),
    containerStatuses: [
      {
        name: 'vllm',
        image: 'vllm/vllm-openai:v0.10.2',
        ready: step === 3,
        restartCount: 0,
        state: { waiting: { reason } },
      },
    ],
  },
})

for (let round = 0; round < 5; round++) {
  const { journal, writeMs } = write()
  const began = process.cpuUsage()
  const hash = journal.hash(header)
  const hashMs = cpuMs(began)
  console.log(
    JSON.stringify({
      pods: PODS,
      records: journal.records.length,
      writeMs: Math.round(writeMs),
      hashMs: Math.round(hashMs),
      hash: hash.slice(0, 12),
    }),
  )
}
