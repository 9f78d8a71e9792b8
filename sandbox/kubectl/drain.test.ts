import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { draft } from '../apiserver/testkit.ts'
import { deploymentController } from '../controllers/deployment.ts'
import { disruptionController } from '../controllers/disruption/disruption.ts'
import { replicaSetController } from '../controllers/replicaset.ts'
import { deploymentOf, settle, type TestCluster, testCluster, WEB } from '../controllers/testkit.ts'
import { DaemonSet, Deployment, keyOf, Node, Pod, PodDisruptionBudget } from '../kube/kinds.ts'
import { defaultProfile, instant } from '../kube/lag.ts'
import { isReady } from '../kube/pods.ts'
import { minutes, seconds, type Us } from '../world/time.ts'
import { uncordon } from './cordon.ts'
import { type DrainOptions, type DrainResult, drain } from './drain.ts'

const controllers = [replicaSetController, deploymentController, disruptionController]

function cluster(
  replicas: number,
  spec?: object,
  options: { profile?: typeof instant; seed?: number; goneAfter?: Us } = {},
) {
  const { profile = instant, seed = 1, goneAfter = seconds(2) } = options
  const c = testCluster({ controllers, profile, seed, kubelet: { readyAfter: () => seconds(3), goneAfter } })
  if (replicas > 0) c.store.create(Deployment, deploymentOf(replicas), 'test')
  if (spec) {
    const selector = { matchLabels: { app: 'web' } }
    c.store.create(PodDisruptionBudget, draft({ name: 'web' }, { selector, ...spec }), 'test')
  }
  settle(c, seconds(30))
  return c
}

/** Starts a drain of the one node; the result is there when it has ended. */
function start(c: TestCluster, options: DrainOptions = {}): { result?: DrainResult } {
  const out: { result?: DrainResult } = {}
  const kube = c.kube('kubectl')
  c.world.spawn(
    'drain',
    (function* () {
      out.result = yield* drain(kube, 'n1', options)
    })(),
  )
  return out
}

function run(c: TestCluster, options: DrainOptions = {}): DrainResult {
  const out = start(c, options)
  settle(c, minutes(10))
  if (!out.result) throw new Error('the drain goes on')
  return out.result
}

const texts = ({ lines }: DrainResult) => lines.map(({ text }) => text)

function lonePod({ store }: TestCluster, name: string, spec: object = {}, metadata: object = {}) {
  const made = store.create(
    Pod,
    draft({ name, ...metadata }, { containers: [{ name: 'main', image: 'app:1' }], ...spec }),
    'test',
  )
  return made
}

describe('drain', () => {
  it('cordons the node, evicts every pod and waits until it is gone', () => {
    const c = cluster(2)
    const names = c.pods().map(({ metadata }) => metadata.name)
    const result = run(c)
    expect(c.store.get(Node, 'n1').spec.unschedulable).toBe(true)
    expect(result).toMatchObject({ drained: true, cordoned: true, errors: [], pending: [] })
    expect(new Set(result.gone)).toEqual(new Set(names.map((name) => `default/${name}`)))
    expect(texts(result).slice(0, 3)).toEqual([
      'node/n1 cordoned',
      ...names.map((name) => `evicting pod default/${name}`),
    ])
    expect(texts(result).at(-1)).toBe('node/n1 drained')
  })

  it('asks again every five seconds while the budget does not allow it', () => {
    const c = cluster(2, { minAvailable: 1 })
    const result = run(c)
    expect(result.drained).toBe(true)
    const retries = result.lines.filter(({ stream, text }) => stream === 'err' && text.includes('will retry after 5s'))
    expect(retries.length).toBeGreaterThan(0)
    expect(retries[0]!.text).toMatch(
      /^error when evicting pods\/"web-\w+-\w{5}" -n "default" \(will retry after 5s\): Cannot evict pod as it would violate the pod's disruption budget\.$/,
    )
    const attempts = result.lines.filter(({ text }) => text.startsWith('evicting pod'))
    expect(attempts.length).toBe(2 + retries.length)
  })

  it('blocks on one replica that must stay, until its time is over', () => {
    const c = cluster(1, { minAvailable: 1 })
    const [pod] = c.pods()
    const result = run(c, { timeout: minutes(1) })
    expect(result).toMatchObject({ drained: false, gone: [], pending: [keyOf(pod!)] })
    const { name } = pod!.metadata
    expect(result.errors).toEqual([`error when evicting pods/"${name}" -n "default": global timeout reached: 1m0s`])
    expect(texts(result)).toContain(`There are pending pods in node "n1" when an error occurred: ${result.errors[0]}`)
  })

  it('waits no longer than its timeout for a pod that does not end', () => {
    const c = cluster(1, undefined, { goneAfter: minutes(30) })
    const result = run(c, { timeout: seconds(20) })
    const { name } = c.pods()[0]!.metadata
    expect(result.errors).toEqual([
      `error when waiting for pod "${name}" in namespace "default" to terminate: context deadline exceeded`,
    ])
  })

  it('skips budgets when it deletes', () => {
    const c = cluster(1, { minAvailable: 1 })
    expect(run(c, { disableEviction: true })).toMatchObject({ drained: true })
  })

  it('gives pods the grace period it is told to', () => {
    const c = cluster(1, undefined, { goneAfter: minutes(1) })
    start(c, { gracePeriodSeconds: 7 })
    settle(c, seconds(1))
    expect(c.pods()[0]!.metadata.deletionGracePeriodSeconds).toBe(7)
  })

  it('evicts nothing when some pod must not be deleted', () => {
    const c = cluster(1)
    lonePod(c, 'alone')
    lonePod(c, 'scratch', { volumes: [{ name: 'shm', emptyDir: {} }] })
    settle(c, seconds(5))
    const result = run(c)
    expect(result).toMatchObject({ drained: false, gone: [] })
    expect(result.errors).toEqual([
      'cannot delete Pods that declare no controller (use --force to override): default/alone',
      'cannot delete Pods with local storage (use --delete-emptydir-data to override): default/scratch',
    ])
    expect(run(c, { force: true, deleteEmptyDirData: true })).toMatchObject({ drained: true, cordoned: false })
  })

  it('leaves pods of DaemonSets and static pods where they are', () => {
    const c = cluster(0)
    const template = {
      metadata: { labels: { app: 'agent' } },
      spec: { containers: [{ name: 'main', image: 'app:1' }] },
    }
    const { metadata } = c.store.create(
      DaemonSet,
      draft({ name: 'agent' }, { selector: { matchLabels: { app: 'agent' } }, template }),
      'test',
    )
    const { name, uid } = metadata
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name, uid, controller: true }]
    lonePod(c, 'agent-1', {}, { ownerReferences, labels: { app: 'agent' } })
    lonePod(c, 'static', {}, { annotations: { 'kubernetes.io/config.mirror': 'x' } })
    settle(c, seconds(5))
    expect(run(c).errors).toEqual([
      'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): default/agent-1',
    ])
    const result = run(c, { ignoreDaemonSets: true })
    expect(texts(result)).toEqual([
      'node/n1 already cordoned',
      'Warning: ignoring DaemonSet-managed Pods: default/agent-1',
      'node/n1 drained',
    ])
    c.store.delete(DaemonSet, 'default/agent', 'test')
    expect(run(c).errors).toEqual(['cannot delete daemonsets.apps "agent" not found: default/agent-1'])
    expect(run(c, { force: true })).toMatchObject({ drained: true, gone: ['default/agent-1'] })
  })

  it('is undone by uncordon', () => {
    const c = cluster(0)
    run(c)
    c.world.spawn('uncordon', uncordon(c.kube('kubectl'), 'n1'))
    settle(c, seconds(1))
    expect(c.store.get(Node, 'n1').spec.unschedulable).toBeUndefined()
  })
})

describe('evictions', () => {
  it('never leave fewer healthy pods than the budget wants, whatever comes together, under lag', () => {
    const step = fc.record({ act: fc.constantFrom('evict', 'drain', 'scale', 'wait'), which: fc.nat(20) })
    const property = fc.property(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(1000),
      (steps, minAvailable, seed) => {
        const c = cluster(4, { minAvailable }, { profile: defaultProfile, seed })
        const stayed = healthySince(c)
        let replicas = 4
        for (const { act, which } of steps) {
          const pods = c.pods()
          if (act === 'evict') for (const pod of pods.slice(which % 4)) c.world.spawn('evict', tolerant(c, keyOf(pod)))
          if (act === 'drain') start(c, { timeout: seconds(20) })
          // only up: what scales down goes by no budget
          if (act === 'scale') c.store.patch(Deployment, WEB, { spec: { replicas: ++replicas } }, 'test')
          settle(c, act === 'wait' ? seconds(10) : seconds(which / 40))
        }
        settle(c, minutes(1))
        expect(stayed.least).toBeGreaterThanOrEqual(minAvailable)
      },
    )
    fc.assert(property, { numRuns: 25 })
  })
})

/** The least number of pods that were ready and not going, seen after each write. */
function healthySince(c: TestCluster): { least: number } {
  const seen = { least: Number.POSITIVE_INFINITY }
  c.store.watch(Pod, {}, () => {
    const healthy = c.pods().filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp).length
    seen.least = Math.min(seen.least, healthy)
  })
  return seen
}

function* tolerant(c: TestCluster, key: string) {
  try {
    yield* c.kube('kubectl').evict(key)
  } catch (error) {
    expect((error as { reason?: string }).reason).toMatch(/TooManyRequests|NotFound/)
  }
}
