import { setTimeout as wait } from 'node:timers/promises'
import { Pod } from '../../../sandbox/kube/kinds.ts'
import { collectionPath, objectPath } from '../../../sandbox/kube/remote/paths.ts'
import type { RemoteKube } from '../../../sandbox/kube/remote/remote-kube.ts'
import type { Rest, RestRequest } from '../../../sandbox/kube/remote/rest.ts'
import { randomStream } from '../../../sandbox/world/random.ts'
import { watchStalls } from './stalls.ts'

export type Verb = 'get' | 'create' | 'update' | 'patch status' | 'delete'

/** What was measured, in milliseconds. */
export interface Probe {
  readonly latency: Record<Verb, number[]>
  /** From the middle of a write's request to the informer's handler. */
  readonly watchDelay: number[]
  /** From a write's answer to the informer's handler; negative when the handler came first. */
  readonly afterAnswer: number[]
  /** Samples dropped because this process stood still meanwhile. */
  dropped: number
}

export interface ProbeOptions {
  rest: Rest
  /** Watches pods. */
  kube: RemoteKube
  namespace: string
  writers: number
  /** Mean pause between a writer's requests. */
  pauseMs: number
  forMs: number
}

interface Sample {
  verb: Verb
  from: number
  to: number
  version?: string
}

/** Writers that make, read, change and delete pods, one request at a time, while an informer watches. */
export async function probe(options: ProbeOptions): Promise<Probe> {
  const seen = new Map<string, number>()
  const note = (pod: { metadata: { resourceVersion: string } }) =>
    seen.set(pod.metadata.resourceVersion, performance.now())
  const stop = options.kube.watch(Pod, { added: note, updated: (_, pod) => note(pod) })
  const stalls = watchStalls()
  const until = performance.now() + options.forMs
  const samples = (
    await Promise.all(Array.from({ length: options.writers }, (_, i) => writer(options, i, until)))
  ).flat()
  await wait(500)
  stop()
  stalls.stop()
  const found: Probe = {
    latency: { get: [], create: [], update: [], 'patch status': [], delete: [] },
    watchDelay: [],
    afterAnswer: [],
    dropped: 0,
  }
  for (const { verb, from, to, version } of samples) {
    const at = version === undefined ? undefined : seen.get(version)
    if (stalls.overlap(from, Math.max(to, at ?? 0))) {
      found.dropped++
      continue
    }
    found.latency[verb].push(to - from)
    if (at === undefined) continue
    found.watchDelay.push(at - (from + to) / 2)
    found.afterAnswer.push(at - to)
  }
  return found
}

async function writer(options: ProbeOptions, number: number, until: number): Promise<Sample[]> {
  const { rest, namespace, pauseMs } = options
  const random = randomStream(number, `probe/${namespace}`)
  const samples: Sample[] = []
  const timed = async (verb: Verb, request: Omit<RestRequest, 'process'>) => {
    const from = performance.now()
    const object = (await rest.send({ ...request, process: 'bench' })) as { metadata: { resourceVersion: string } }
    const to = performance.now()
    const writes = verb !== 'get' && verb !== 'delete'
    samples.push({ verb, from, to, ...(writes ? { version: object.metadata.resourceVersion } : {}) })
    await wait(pauseMs * random.between(0.5, 1.5))
    return object
  }
  for (let n = 0; performance.now() < until; n++) {
    const pod = podNamed(namespace, `probe-${number}-${n}`)
    const path = objectPath(Pod, `${namespace}/${pod.metadata.name}`)
    await timed('create', { method: 'POST', path: collectionPath(Pod, namespace), body: pod })
    const read = await timed('get', { method: 'GET', path })
    const labels = { app: 'probe', round: `${n}` }
    await timed('update', { method: 'PUT', path, body: { ...read, metadata: { ...read.metadata, labels } } })
    const status = { status: { message: `round ${n}` } }
    await timed('patch status', { method: 'PATCH', path: `${path}/status`, body: status })
    await timed('delete', { method: 'DELETE', path })
  }
  return samples
}

/** A pod like an inference server's: some kilobytes of it. */
export const podNamed = (namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app: 'probe' } },
  spec: {
    // the scheduler would write into them
    schedulerName: 'nobody',
    containers: [
      {
        name: 'main',
        image: 'example.com/inference:1',
        args: ['serve', 'model', '--port', '8000', '--max-model-len', '8192'],
        env: Array.from({ length: 8 }, (_, i) => ({ name: `SETTING_${i}`, value: `value-${i}` })),
        ports: [{ containerPort: 8000 }],
        readinessProbe: { httpGet: { path: '/health', port: 8000 }, periodSeconds: 5 },
      },
    ],
  },
})
