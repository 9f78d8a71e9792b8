import { describe, expect, it } from 'vitest'
import { Pod } from '../kube/kinds.ts'
import { condition, isReady } from '../kube/pods.ts'
import { ms, seconds } from '../world/time.ts'
import { scripted, testNode, testPod } from './testkit.ts'

const server = (answer: 'answer' | 'hang' = 'answer') =>
  scripted(({ clock, exit }) => ({
    accepts: () => true,
    httpGet: () => (answer === 'hang' ? { kind: 'hang' } : { kind: 'answer', status: 500, afterUs: seconds(3) }),
    signal: (signal) => {
      if (signal === 'SIGTERM') clock.after(ms(100), () => exit(143))
    },
  }))

describe('hooks', () => {
  it('hold the status of a container until postStart is over', () => {
    const { runs, programFor } = server()
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a', lifecycle: { postStart: { exec: { command: ['sleep', '6'] } } } }] }))
    t.at(7)
    expect(runs).toHaveLength(1)
    expect(t.pod().status.phase).toBe('Pending')
    t.at(9)
    expect(isReady(t.pod())).toBe(true)
  })

  it('that ask for a completion wait for it, and fail with it', () => {
    const started = (status: number) => {
      const { programFor } = scripted(({ clock }) => ({
        accepts: () => true,
        httpPost(_port, _request, answered) {
          const timer = clock.after(seconds(4), () => answered({ kind: 'answer', status, afterUs: 0 }))
          return () => timer.cancel()
        },
      }))
      const t = testNode({ programFor })
      const command = ['curl', '-sf', '-d', '{}', 'http://localhost:8000/v1/completions']
      t.create(testPod({ containers: [{ name: 'a', lifecycle: { postStart: { exec: { command } } } }] }))
      t.at(5)
      const early = isReady(t.pod())
      t.at(8)
      return [early, isReady(t.pod()), t.events('FailedPostStartHook').length]
    }
    expect(started(200)).toEqual([false, true, 0])
    expect(started(500)).toEqual([false, false, 1])
  })

  it('that fail after the start cost the container its life', () => {
    const { runs, programFor } = server()
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a', lifecycle: { postStart: { exec: { command: ['false'] } } } }] }))
    t.at(4)
    expect(t.events('FailedPostStartHook')[0]!.message).toBe('PostStartHook failed')
    expect(t.events('Killing')[0]!.message).toBe('FailedPostStartHook')
    expect(runs[0]!.signals[0]!.signal).toBe('SIGTERM')
    expect(isReady(t.pod())).toBe(false)
    t.at(60)
    expect(runs.length).toBeLessThan(6)
    expect(t.events('BackOff').length).toBeGreaterThan(0)
  })

  it('by HTTP take any status for an answer, and a hang until the grace period is over', () => {
    const stopAfter = (sort: 'answer' | 'hang') => {
      const { runs, programFor } = server(sort)
      const t = testNode({ programFor })
      const lifecycle = { preStop: { httpGet: { path: '/drain', port: 8000 } } }
      t.create(testPod({ containers: [{ name: 'a', lifecycle }], terminationGracePeriodSeconds: 12 }))
      t.at(20)
      t.store.delete(Pod, 'default/web', 'test')
      t.at(60)
      expect(t.events('FailedPreStopHook')).toEqual([])
      return (runs[0]!.signals[0]!.at - t.events('Killing')[0]!.at) / 1e6
    }
    expect(stopAfter('answer')).toBeCloseTo(3, 1)
    expect(stopAfter('hang')).toBeCloseTo(12, 1)
  })
})

it.each([
  ['HTTP', false, false],
  ['HTTPS', false, false],
  ['HTTPS', true, false],
  ['HTTP', true, true],
] as const)('a hook by %s to a server whose TLS is %s fails: %s', (scheme, tls, fails) => {
  const { programFor } = scripted(() => ({
    accepts: () => true,
    httpGet: () => ({ kind: 'answer', status: 200, afterUs: ms(1) }),
    speaksTls: () => tls,
  }))
  const t = testNode({ programFor })
  const lifecycle = { postStart: { httpGet: { path: '/', port: 8000, scheme } } }
  t.create(testPod({ containers: [{ name: 'a', lifecycle }] }))
  t.at(5)
  expect(t.events('FailedPostStartHook').length > 0).toBe(fails)
})

it('puts a hostNetwork pod at the address of its node', () => {
  const { programFor } = server()
  const t = testNode({ programFor })
  t.create(testPod({ hostNetwork: true, containers: [{ name: 'a' }] }))
  t.at(10)
  const ip = t.pod().status.podIP!
  expect(ip).toBe(t.nodeObject().status.addresses![0]!.address)
  expect(t.network.connect(ip, 80).kind).toBe('open')
  t.store.delete(Pod, 'default/web', 'test')
  t.at(60)
  expect(t.network.connect(ip, 80).kind).toBe('unreachable')
})

it('waits for readiness gates that others set, and keeps their conditions', () => {
  const t = testNode()
  t.create(testPod({ containers: [{ name: 'a' }], readinessGates: [{ conditionType: 'example.com/up' }] }))
  t.at(10)
  expect(condition(t.pod(), 'Ready')).toMatchObject({
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: 'corresponding condition of pod readiness gate "example.com/up" does not exist.',
  })
  const pod = t.pod()
  const conditions = [...(pod.status.conditions ?? []), { type: 'example.com/up', status: 'True' as const }]
  t.store.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions } }, 'test')
  t.at(13)
  expect(isReady(t.pod())).toBe(true)
  expect(condition(t.pod(), 'example.com/up')?.status).toBe('True')
})

describe('an exec hook', () => {
  const upAfter = (s: number) =>
    scripted(({ clock, exit }) => {
      const since = clock.now
      const up = () => clock.now - since >= seconds(s)
      return {
        accepts: up,
        httpGet: () => (up() ? { kind: 'answer', status: 200, afterUs: ms(2) } : { kind: 'refused' }),
        signal: (signal) => {
          if (signal === 'SIGTERM') clock.after(seconds(2), () => exit(0))
        },
      }
    })

  it('waits for its own server', () => {
    const { programFor } = upAfter(7)
    const t = testNode({ programFor })
    const command = ['sh', '-c', 'until curl -sf localhost:8000/health; do sleep 1; done']
    t.create(testPod({ containers: [{ name: 'a', lifecycle: { postStart: { exec: { command } } } }] }))
    t.at(7)
    expect(isReady(t.pod())).toBe(false)
    t.at(12)
    expect(isReady(t.pod())).toBe(true)
  })

  it('that stops the server is over when the container is', () => {
    const { runs, programFor } = upAfter(0)
    const t = testNode({ programFor })
    const command = ['/bin/sh', '-c', 'kill -TERM 1; sleep 25']
    const container = { name: 'a', lifecycle: { preStop: { exec: { command } } } }
    t.create(testPod({ containers: [container], terminationGracePeriodSeconds: 60 }))
    t.at(10)
    t.store.delete(Pod, 'default/web', 'test')
    t.at(16)
    expect(runs[0]!.signals).toHaveLength(1)
    expect(t.gone()).toBe(true)
  })

  it('that nobody understands is told of, and probes by command are run', () => {
    const { programFor } = upAfter(3)
    const t = testNode({ programFor })
    const lifecycle = { preStop: { exec: { command: ['/drain.sh'] } } }
    const exec = { command: ['curl', '-f', 'http://127.0.0.1:8000/health'] }
    t.create(testPod({ containers: [{ name: 'a', lifecycle, readinessProbe: { exec, periodSeconds: 1 } }] }))
    t.at(3)
    expect(isReady(t.pod())).toBe(false)
    t.at(9)
    expect(isReady(t.pod())).toBe(true)
    t.store.delete(Pod, 'default/web', 'test')
    t.at(20)
    expect(JSON.stringify(t.journal.records)).toContain('/drain.sh')
  })
})

it('a gRPC probe of a server that speaks HTTP alone never succeeds', () => {
  const { programFor } = scripted(() => ({
    accepts: () => true,
    httpGet: () => ({ kind: 'answer', status: 404, afterUs: ms(1) }),
  }))
  const t = testNode({ programFor })
  t.create(testPod({ containers: [{ name: 'a', readinessProbe: { grpc: { port: 8000 }, timeoutSeconds: 2 } }] }))
  t.at(30)
  expect(isReady(t.pod())).toBe(false)
  expect(t.events('Unhealthy')[0]!.message).toMatch(
    /^Readiness probe failed: timeout: failed to connect service ".*:8000" within 2s: context deadline exceeded$/,
  )
})
