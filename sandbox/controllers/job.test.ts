import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Job, Pod } from '../kube/kinds.ts'
import { defaultProfile } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { ms, seconds, toRfc3339 } from '../world/time.ts'
import { garbageCollector } from './garbage-collector.ts'
import { formatIndexes, parseIndexes } from './job/indexes.ts'
import { jobController } from './job.ts'
import { podTemplate, settle, type TestCluster, testCluster } from './testkit.ts'
import { ttlAfterFinishedController } from './ttl-after-finished.ts'

const KEY = 'default/batch'

/** A cluster whose pods end a second after they are ready, with the exit code `code` gives; undefined: never. */
function run(
  spec: Partial<o.Job['spec']>,
  code: (pod: o.Pod, attempt: number) => number | undefined = () => 0,
  profile?: typeof defaultProfile,
): TestCluster {
  let attempt = 0
  const cluster: TestCluster = testCluster({
    controllers: [jobController(), ttlAfterFinishedController, garbageCollector()],
    ...(profile ? { profile } : {}),
    kubelet: {
      started(pod) {
        const exitCode = code(pod, attempt++)
        if (exitCode === undefined) return
        cluster.clock.after(seconds(1), () => end(cluster, pod, exitCode))
      },
    },
  })
  const template = podTemplate({ app: 'batch' }, 'v1')
  cluster.store.create(
    Job,
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'batch', namespace: 'default' },
      spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } }, ...spec },
    } as o.Job,
    'kubectl',
  )
  return cluster
}

function end({ store, clock }: TestCluster, { metadata }: o.Pod, exitCode: number): void {
  const pod = store.peek(Pod, `default/${metadata.name}`)
  if (!pod || pod.metadata.deletionTimestamp) return
  const finishedAt = toRfc3339(clock.now)
  const status = {
    name: 'main',
    image: 'v1',
    imageID: 'v1',
    ready: false,
    restartCount: 0,
    lastState: {},
    state: { terminated: { exitCode, finishedAt } },
  }
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed'
  const conditions = (pod.status.conditions ?? []).map((c) =>
    c.type === 'Ready' ? { ...c, status: 'False' as const } : c,
  )
  store.updateStatus(
    Pod,
    { ...pod, status: { ...pod.status, phase, conditions, containerStatuses: [status] } },
    'kubelet',
  )
}

const job = ({ store }: TestCluster) => store.get(Job, KEY)
const ended = (cluster: TestCluster) =>
  job(cluster).status.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`)
const indexOf = (pod: o.Pod) => Number(pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'])

describe('a Job', () => {
  it('runs its pods to the wanted number of completions, so many at a time', () => {
    const cluster = run({ completions: 5, parallelism: 2 })
    let most = 0
    for (let i = 0; i < 300; i++) {
      settle(cluster, ms(200))
      most = Math.max(most, cluster.pods().filter((pod) => pod.status.phase === 'Running').length)
    }
    expect(most).toBe(2)
    expect(job(cluster).status).toMatchObject({ succeeded: 5, ready: 0, terminating: 0, uncountedTerminatedPods: {} })
    expect(job(cluster).status.completionTime).toBeDefined()
    expect(ended(cluster)).toEqual(['SuccessCriteriaMet=True CompletionsReached', 'Complete=True CompletionsReached'])
    expect(cluster.events().filter((text) => !text.startsWith('SuccessfulCreate'))).toEqual([
      'Completed: Job completed',
    ])
    expect(cluster.pods().every((pod) => !pod.metadata.finalizers)).toBe(true)
    expect(cluster.pods()).toHaveLength(5)
  })

  it('tries again after growing pauses and gives up at its backoff limit', () => {
    const cluster = run({ backoffLimit: 2 }, () => 1)
    settle(cluster, seconds(10))
    expect(cluster.pods()).toHaveLength(1)
    settle(cluster, seconds(200))
    expect(cluster.pods()).toHaveLength(3)
    expect(job(cluster).status.failed).toBe(3)
    expect(ended(cluster)).toEqual(['FailureTarget=True BackoffLimitExceeded', 'Failed=True BackoffLimitExceeded'])
    expect(cluster.events()).toContain('BackoffLimitExceeded: Job has reached the specified backoff limit')
    const starts = cluster.pods().map((pod) => Date.parse(pod.metadata.creationTimestamp) / 1e3)
    expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(10)
    expect(starts[2]! - starts[1]!).toBeGreaterThanOrEqual(20)
  })

  it('ends its pods at its deadline, and is over only when they are gone', () => {
    const cluster = run({ activeDeadlineSeconds: 10 }, () => undefined)
    settle(cluster, seconds(30))
    expect(cluster.pods()).toEqual([])
    expect(ended(cluster)).toEqual(['FailureTarget=True DeadlineExceeded', 'Failed=True DeadlineExceeded'])
  })

  it('makes no pods while it is suspended, and takes them back', () => {
    const cluster = run({ suspend: true }, () => undefined)
    settle(cluster)
    expect(cluster.pods()).toEqual([])
    expect(job(cluster).status.startTime).toBeUndefined()
    cluster.store.patch(Job, KEY, { spec: { suspend: false } }, 'kubectl')
    settle(cluster)
    expect(cluster.pods()).toHaveLength(1)
    expect(job(cluster).status).toMatchObject({ active: 1, ready: 1 })
    cluster.store.patch(Job, KEY, { spec: { suspend: true } }, 'kubectl')
    settle(cluster)
    expect(cluster.pods()).toEqual([])
    expect(cluster.events().filter((text) => /Suspended|Resumed/.test(text))).toEqual([
      'Suspended: Job suspended',
      'Resumed: Job resumed',
      'Suspended: Job suspended',
    ])
  })

  it('goes some time after its end where it says so, pods and all', () => {
    const cluster = run({ ttlSecondsAfterFinished: 30 })
    settle(cluster, seconds(20))
    expect(ended(cluster)?.at(-1)).toBe('Complete=True CompletionsReached')
    settle(cluster, seconds(60))
    expect(cluster.store.peek(Job, KEY)).toBeUndefined()
    expect(cluster.pods()).toEqual([])
  })

  it('lets its pods go when it is deleted', () => {
    const cluster = run({ parallelism: 3, completions: 3 }, () => undefined)
    settle(cluster)
    cluster.store.delete(Job, KEY, 'kubectl', { propagationPolicy: 'Background' })
    settle(cluster)
    expect(cluster.pods()).toEqual([])
  })
})

describe('a failure policy', () => {
  const rule = (action: o.PodFailureRule['action'], values: number[]) => ({
    podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In' as const, values } }] },
  })

  it('fails the Job at once, ignores, or counts', () => {
    const failed = run({ ...rule('FailJob', [42]) }, () => 42)
    settle(failed)
    const name = failed.pods()[0]!.metadata.name
    expect(job(failed).status.conditions?.at(-1)).toMatchObject({
      type: 'Failed',
      reason: 'PodFailurePolicy',
      message: `Container main for pod default/${name} failed with exit code 42 matching FailJob rule at index 0`,
    })
    const ignored = run({ backoffLimit: 0, ...rule('Ignore', [42]) }, (_, attempt) => (attempt < 2 ? 42 : 0))
    settle(ignored, seconds(200))
    expect(ended(ignored)?.at(-1)).toBe('Complete=True CompletionsReached')
    expect(job(ignored).status.failed).toBeUndefined()
  })
})

describe('an Indexed Job', () => {
  const indexed = { completionMode: 'Indexed' as const, completions: 4, parallelism: 4 }

  it('gives each pod an index, a host name and a variable, and each index one success', () => {
    const cluster = run(indexed)
    settle(cluster)
    expect(cluster.pods().map(indexOf).sort()).toEqual([0, 1, 2, 3])
    const pod = cluster.pods().find((one) => indexOf(one) === 2)!
    expect(pod.metadata.name).toMatch(/^batch-2-.{5}$/)
    expect(pod.spec.hostname).toBe('batch-2')
    expect(pod.spec.containers[0]!.env).toEqual([
      {
        name: 'JOB_COMPLETION_INDEX',
        valueFrom: {
          fieldRef: { apiVersion: 'v1', fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" },
        },
      },
    ])
    expect(job(cluster).status).toMatchObject({ completedIndexes: '0-3', succeeded: 4 })
  })

  it('fails by index, and tells which', () => {
    const cluster = run({ ...indexed, backoffLimitPerIndex: 1 }, (pod) => (indexOf(pod) === 1 ? 1 : 0))
    settle(cluster, seconds(120))
    expect(job(cluster).status).toMatchObject({
      completedIndexes: '0,2,3',
      failedIndexes: '1',
      succeeded: 3,
      failed: 2,
    })
    expect(ended(cluster)?.at(-1)).toBe('Failed=True FailedIndexes')
  })

  it('is done when its success policy says so', () => {
    const successPolicy = { rules: [{ succeededIndexes: '0,1', succeededCount: 1 }] }
    const cluster = run({ ...indexed, successPolicy }, (pod) => (indexOf(pod) === 1 ? 0 : undefined))
    settle(cluster)
    expect(ended(cluster)).toEqual(['SuccessCriteriaMet=True SuccessPolicy', 'Complete=True SuccessPolicy'])
    expect(cluster.pods().filter((pod) => pod.status.phase === 'Running')).toEqual([])
  })

  it('never works on an index twice at once, and counts each once, whatever fails', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        (fails, parallelism) => {
          const cluster = run(
            { completionMode: 'Indexed', completions: 6, parallelism, backoffLimit: 100 },
            (_, attempt) => (fails[attempt] ? 1 : 0),
            defaultProfile,
          )
          for (let i = 0; i < 60; i++) {
            settle(cluster, ms(700))
            const running = cluster
              .pods()
              .filter((pod) => !pod.metadata.deletionTimestamp && !['Failed', 'Succeeded'].includes(pod.status.phase))
            expect(new Set(running.map(indexOf)).size).toBe(running.length)
            expect(running.length).toBeLessThanOrEqual(parallelism)
          }
          settle(cluster, seconds(6000))
          expect(job(cluster).status).toMatchObject({ completedIndexes: '0-5', succeeded: 6 })
          expect(job(cluster).status.failed ?? 0).toBe(
            cluster.pods().filter((pod) => pod.status.phase === 'Failed').length,
          )
        },
      ),
      { numRuns: 15 },
    )
  })
})

it('writes indexes as they are read', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(40)), (indexes) => {
      expect([...parseIndexes(formatIndexes(indexes), 41)].sort()).toEqual([...indexes].sort())
    }),
  )
  expect(formatIndexes([7, 0, 2, 3, 4, 8])).toBe('0,2-4,7,8')
})
