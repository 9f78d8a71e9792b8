import { describe, expect, it } from 'vitest'
import { Pod } from '../kube/kinds.ts'
import { isReady } from '../kube/pods.ts'
import { seconds } from '../world/time.ts'
import { scripted, testNode, testPod } from './testkit.ts'

const stubborn = () => scripted(() => ({}))
const polite = (takesSeconds: number) =>
  scripted(({ clock, exit }) => ({
    signal: (signal) => {
      if (signal === 'SIGTERM') clock.after(seconds(takesSeconds), () => exit(0))
    },
  }))

/** Seconds after the deletion at which a container got a signal. */
const secondsAfter = (from: number, at: number) => Math.round((at / 1e6 - from) * 10) / 10

describe('termination', () => {
  it('sends SIGTERM, waits for the grace period, then kills', () => {
    const { runs, programFor } = stubborn()
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a' }], terminationGracePeriodSeconds: 15 }))
    t.at(20)
    t.store.delete(Pod, 'default/web', 'test')
    t.at(60)
    const [term, kill] = runs[0]!.signals
    expect(secondsAfter(20, term!.at)).toBeLessThanOrEqual(1)
    expect(kill!.at - term!.at).toBeGreaterThanOrEqual(seconds(15))
    expect(kill!.at - term!.at).toBeLessThan(seconds(15.1))
    expect(t.events('Killing').map((e) => e.message)).toEqual(['Stopping container a'])
    expect(t.gone()).toBe(true)
    const exits = t.journal.records.flatMap((r) =>
      r.type === 'object' && r.kind === 'pods' && JSON.stringify(r.value ?? '').includes('"exitCode":137') ? [r] : [],
    )
    expect(exits.length).toBeGreaterThan(0)
  })

  it('runs preStop within the grace period and leaves at least two seconds', () => {
    const { runs, programFor } = stubborn()
    const t = testNode({ programFor })
    const lifecycle = { preStop: { exec: { command: ['sh', '-c', 'sleep 9'] } } }
    t.create(testPod({ containers: [{ name: 'a', lifecycle }], terminationGracePeriodSeconds: 10 }))
    t.at(20)
    t.store.delete(Pod, 'default/web', 'test')
    t.at(60)
    const [term, kill] = runs[0]!.signals
    expect(secondsAfter(20, term!.at)).toBeGreaterThanOrEqual(9)
    expect(secondsAfter(20, term!.at)).toBeLessThanOrEqual(10)
    expect(kill!.at - term!.at).toBeGreaterThanOrEqual(seconds(2))
    expect(kill!.at - term!.at).toBeLessThan(seconds(2.1))
  })

  it('cuts a preStop hook that is longer than the grace period', () => {
    const { runs, programFor } = stubborn()
    const t = testNode({ programFor })
    const lifecycle = { preStop: { exec: { command: ['sleep', '100'] } } }
    t.create(testPod({ containers: [{ name: 'a', lifecycle }], terminationGracePeriodSeconds: 5 }))
    t.at(20)
    t.store.delete(Pod, 'default/web', 'test')
    t.at(60)
    expect(secondsAfter(20, runs[0]!.signals[0]!.at)).toBeLessThanOrEqual(6)
    expect(t.gone()).toBe(true)
  })

  it('stays Ready while it terminates, and is reachable until its sandbox is gone', () => {
    const { programFor } = polite(5)
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a' }] }))
    t.at(20)
    const ip = t.pod().status.podIP!
    t.store.delete(Pod, 'default/web', 'test')
    t.at(24)
    expect(isReady(t.pod())).toBe(true)
    expect(t.network.connect(ip, 80).kind).toBe('refused')
    t.at(30)
    expect(t.network.connect(ip, 80).kind).toBe('unreachable')
    expect(t.gone()).toBe(true)
  })

  it('stops sidecars after the main containers, the last one first', () => {
    const { runs, programFor } = polite(3)
    const t = testNode({ programFor })
    const sidecar = (name: string) => ({ name, restartPolicy: 'Always' })
    t.create(testPod({ initContainers: [sidecar('s1'), sidecar('s2')], containers: [{ name: 'a' }, { name: 'b' }] }))
    t.at(20)
    expect(isReady(t.pod())).toBe(true)
    expect(runs.map((r) => r.container)).toEqual(['s1', 's2', 'a', 'b'])
    t.store.delete(Pod, 'default/web', 'test')
    t.at(60)
    const terms = Object.fromEntries(runs.map((r) => [r.container, secondsAfter(20, r.signals[0]!.at)]))
    expect(terms.a).toBe(terms.b)
    expect(terms.s2! - terms.a!).toBeCloseTo(3, 1)
    expect(terms.s1! - terms.s2!).toBeCloseTo(3, 1)
    expect(t.gone()).toBe(true)
  })

  it('does not interrupt a pull: a deleted pod goes when the image is there', () => {
    const t = testNode()
    t.create(testPod({ containers: [{ name: 'a', image: 'big' }] }))
    t.at(5)
    t.store.delete(Pod, 'default/web', 'test')
    t.at(10)
    expect(t.gone()).toBe(false)
    t.at(60)
    expect(t.gone()).toBe(true)
  })

  it('ends a pod that is active for too long', () => {
    const { runs, programFor } = polite(1)
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a' }], activeDeadlineSeconds: 30 }))
    t.at(29)
    expect(t.pod().status.phase).toBe('Running')
    t.at(40)
    expect(t.pod().status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    })
    expect(secondsAfter(0, runs[0]!.signals[0]!.at)).toBeGreaterThanOrEqual(31)
  })

  it('gives two seconds to a pod deleted by force, but does not shorten a grace period under way', () => {
    const { runs, programFor } = stubborn()
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a' }], terminationGracePeriodSeconds: 8 }, 'one'))
    t.create(testPod({ containers: [{ name: 'a' }], terminationGracePeriodSeconds: 8 }, 'two'))
    t.at(20)
    t.store.delete(Pod, 'default/two', 'test')
    t.at(22)
    for (const name of ['one', 'two']) t.store.delete(Pod, `default/${name}`, 'test', { gracePeriodSeconds: 0 })
    expect(t.gone('one') && t.gone('two')).toBe(true)
    t.at(40)
    const [one, two] = runs.map((r) => (r.endedAt! - r.signals[0]!.at) / 1e6)
    expect(one).toBeCloseTo(2, 1)
    expect(two).toBeCloseTo(8, 1)
  })

  it('loses power: processes end, nothing is said', () => {
    const { runs, programFor } = polite(1)
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a' }] }))
    t.at(20)
    const [ip, version] = [t.pod().status.podIP!, t.pod().metadata.resourceVersion]
    t.node.powerOff()
    t.at(200)
    expect(runs[0]!.endedAt).toBe(seconds(20))
    expect(t.network.connect(ip, 80).kind).toBe('unreachable')
    expect(t.pod().metadata.resourceVersion).toBe(version)
  })
})

describe('init containers', () => {
  it('run one after the other, and again from a failure on', () => {
    const tries = new Map<string, number>()
    const { runs, programFor } = scripted(({ clock, container, exit }) => {
      const n = (tries.get(container.name) ?? 0) + 1
      tries.set(container.name, n)
      if (container.name !== 'main') clock.after(seconds(3), () => exit(container.name === 'i2' && n === 1 ? 1 : 0))
      return {}
    })
    const t = testNode({ programFor })
    t.create(testPod({ initContainers: [{ name: 'i1' }, { name: 'i2' }], containers: [{ name: 'main' }] }))
    t.at(3)
    expect(t.pod().status.containerStatuses?.[0]?.state.waiting?.reason).toBe('PodInitializing')
    t.at(60)
    expect(runs.map((r) => r.container)).toEqual(['i1', 'i2', 'i2', 'main'])
    runs.slice(1).forEach((run, i) => {
      expect(run.startedAt).toBeGreaterThanOrEqual(runs[i]!.endedAt!)
    })
    expect(isReady(t.pod())).toBe(true)
  })

  it('fail the pod for good where nothing is restarted', () => {
    const { runs, programFor } = scripted(({ clock, exit }) => {
      clock.after(seconds(1), () => exit(2))
      return {}
    })
    const t = testNode({ programFor })
    t.create(testPod({ initContainers: [{ name: 'i' }], containers: [{ name: 'a' }], restartPolicy: 'Never' }))
    t.at(30)
    expect(t.pod().status.phase).toBe('Failed')
    expect(runs).toHaveLength(1)
  })

  it('hold the main container until a sidecar has started', () => {
    const { runs, programFor } = scripted(({ clock, container }) => {
      const listensAt = clock.now + seconds(container.name === 'side' ? 12 : 0)
      return { accepts: () => clock.now >= listensAt }
    })
    const t = testNode({ programFor })
    const startupProbe = { tcpSocket: { port: 9000 }, periodSeconds: 1, failureThreshold: 60 }
    t.create(
      testPod({
        initContainers: [{ name: 'side', restartPolicy: 'Always', startupProbe }],
        containers: [{ name: 'a' }],
      }),
    )
    t.at(60)
    const [side, main] = runs
    expect(main!.startedAt - side!.startedAt).toBeGreaterThanOrEqual(seconds(12))
    expect(main!.startedAt - side!.startedAt).toBeLessThan(seconds(15))
    expect(isReady(t.pod())).toBe(true)
  })
})
