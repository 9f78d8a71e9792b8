import { describe, expect, it } from 'vitest'
import type { Pod } from '../kube/objects.ts'

import { VirtualClock } from '../world/clock.ts'
import { ms, seconds } from '../world/time.ts'
import { Backoff, crashLoopBackoff } from './backoff.ts'
import { withTag } from './images.ts'
import { nodeAddresses, nodeResources } from './node-object.ts'
import { phaseOf } from './phase.ts'
import { plainProgram } from './plain-program.ts'
import { PodAddresses } from './pod-addresses.ts'
import { understand } from './shell.ts'
import { goDuration, nextTick } from './timings.ts'

describe('back-off', () => {
  it('doubles to its maximum and begins anew when it was not needed for long', () => {
    const backoff = new Backoff({ initial: 10, max: 35 })
    const seen = [1, 2, 3, 4].map((now) => {
      backoff.next('a', now, now)
      return backoff.get('a')
    })
    expect(seen).toEqual([10, 20, 35, 35])
    backoff.next('a', 4 + 71, 4 + 71)
    expect(backoff.get('a')).toBe(10)
  })

  it('of crash loops is forgotten after ten minutes without a restart', () => {
    const backoff = crashLoopBackoff()
    backoff.next('a', 0, 0)
    backoff.next('a', seconds(30), seconds(30))
    expect(backoff.isActiveSince('a', seconds(600), seconds(610))).toBe(true)
    expect(backoff.isActiveSince('a', seconds(631), seconds(632))).toBe(false)
  })
})

it.each([
  [ms(0), '0s'],
  [ms(850), '850ms'],
  [ms(2100), '2.1s'],
  [seconds(61.2), '1m1.2s'],
  [seconds(300), '5m0s'],
  [seconds(3600), '1h0m0s'],
])('prints %i µs as Go does: %s', (duration, text) => expect(goDuration(duration)).toBe(text))

it('finds the next tick of a ticker, its own moment included', () => {
  expect(nextTick(10, 3, 7)).toBe(10)
  expect(nextTick(11, 3, 7)).toBe(17)
  expect(nextTick(0, 3, 7)).toBe(3)
})

it('names the version of an image', () => {
  expect(withTag('a/b')).toBe('a/b:latest')
  expect(withTag('r:5000/b')).toBe('r:5000/b:latest')
  expect(withTag('b:1')).toBe('b:1')
  expect(withTag('b@sha256:0')).toBe('b@sha256:0')
})

describe('addresses', () => {
  it('are handed out in turn and again when all were used', () => {
    const addresses = new PodAddresses('10.1.2.0/29')
    const taken = Array.from({ length: 6 }, () => addresses.take())
    expect(taken).toEqual(['10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.2.5', '10.1.2.6', undefined])
    addresses.release('10.1.2.4')
    expect(addresses.take()).toBe('10.1.2.4')
    expect(() => new PodAddresses('fd00::/64')).toThrow('not an IPv4 range')
  })

  it('of nodes do not collide', () => {
    const all = Array.from({ length: 65_536 }, (_, i) => nodeAddresses(i))
    expect(new Set(all.map((a) => a.ip)).size).toBe(all.length)
    expect(new Set(all.map((a) => a.podCIDR)).size).toBe(all.length)
  })
})

it('keeps the eviction threshold and reservations out of allocatable', () => {
  const spec = { name: 'n', cpu: '8', memory: '32Gi', reserved: { cpu: '500m', memory: '1Gi' }, ...nodeAddresses(0) }
  expect(nodeResources(spec).allocatable).toMatchObject({ cpu: '7500m', memory: `${31 * 1024 - 100}Mi` })
})

describe('commands', () => {
  it.each([
    [['sleep', '5'], 5, 0],
    [['/bin/sleep', '1m', '0.5'], 60.5, 0],
    [['sh', '-c', 'sleep 5 && true'], 5, 0],
    [['/bin/sh', '-ec', 'echo "going; now"; sleep 2; exit 3'], 2, 3],
    [['bash', '-c', 'false && sleep 9'], 0, 1],
    [['true'], 0, 0],
    [['sh', '-c', 'while true; do sleep 1; done'], Number.POSITIVE_INFINITY, 0],
  ] as const)('%j takes %d s and exits %d', (command, takes, exitCode) => {
    expect(understand(command)).toEqual({ exitCode, afterUs: seconds(takes) })
  })

  it.each([
    [['curl', 'x']],
    [['sh', '-c', 'sleep $N']],
    [['sh', '-c', 'sleep 5 & wait']],
    [['sh', 'script.sh']],
    [['sleep']],
    [[]],
  ])('%j is not guessed at', (command) => expect(understand(command)).toBeUndefined())
})

describe('a plain program', () => {
  const start = (container: Record<string, unknown>, init = false, others: readonly unknown[] = []) => {
    const clock = new VirtualClock()
    const exits: { at: number; code: number }[] = []
    const spec = { name: 'a', image: 'x', resources: {}, ...container }
    const program = plainProgram().start({
      clock,
      container: spec,
      pod: { spec: init ? { containers: [], initContainers: [spec] } : { containers: [spec, ...others] } },
      exit: (code: number) => exits.push({ at: clock.now, code }),
    } as never)
    return { clock, program, exits }
  }

  it('listens on declared ports after its start, and ends well on SIGTERM', () => {
    const { clock, program, exits } = start({ ports: [{ containerPort: 80, protocol: 'TCP' }] })
    expect(program.httpGet(80, '/').kind).toBe('refused')
    clock.runUntil(seconds(2))
    expect(program.httpGet(80, '/x')).toMatchObject({ kind: 'answer', status: 200 })
    expect(program.accepts(81)).toBe(false)
    program.signal('SIGTERM')
    clock.runUntil(seconds(5))
    expect(exits).toEqual([{ at: seconds(2.5), code: 0 }])
    expect(program.accepts(80)).toBe(false)
  })

  it('leaves to another container of its pod what that one declares or has probed', () => {
    const probe = { httpGet: { port: 8000 } }
    const listens = (container: Record<string, unknown>, other: Record<string, unknown>) => {
      const { clock, program } = start({ livenessProbe: probe, ...container }, false, [{ name: 'vllm', ...other }])
      clock.runUntil(seconds(2))
      return program.accepts(8000)
    }
    expect(listens({}, {})).toBe(true)
    expect(listens({}, { ports: [{ containerPort: 8000 }] })).toBe(false)
    expect(listens({}, { startupProbe: probe })).toBe(false)
    expect(listens({ ports: [{ containerPort: 8000 }] }, { startupProbe: probe })).toBe(true)
  })

  it('completes as an init container, and runs known commands as they are', () => {
    const init = start({}, true)
    init.clock.runUntil(seconds(60))
    expect(init.exits).toEqual([{ at: seconds(2), code: 0 }])
    const sleeper = start({ command: ['sleep', '7'] })
    sleeper.program.signal('SIGTERM')
    sleeper.clock.runUntil(seconds(60))
    expect(sleeper.exits).toEqual([{ at: seconds(7), code: 0 }])
  })
})

describe('the phase of a pod', () => {
  const pod = { spec: { restartPolicy: 'OnFailure', containers: [{ name: 'a' }, { name: 'b' }] } } as unknown as Pod
  const status = (name: string, state: object, lastState: object = {}) =>
    ({ name, state, lastState, ready: false }) as never
  const ended = (exitCode: number) => ({ terminated: { exitCode } })

  it.each([
    ['one waits', [{ waiting: {} }, { running: {} }], 'Pending'],
    ['both run', [{ running: {} }, { running: {} }], 'Running'],
    ['one ended', [ended(0), { running: {} }], 'Running'],
    ['both ended well', [ended(0), ended(0)], 'Succeeded'],
    ['one failed and will be restarted', [ended(0), ended(1)], 'Running'],
    ['nothing is known of one', [ended(1), {}], 'Pending'],
  ] as const)('when %s', (_, [a, b], phase) => {
    const options = { terminal: false, initialized: true }
    expect(phaseOf(pod, [status('a', a), status('b', b)], options)).toBe(phase)
  })

  it('is Pending when nothing is known of a container, whatever it was before', () => {
    const statuses = [status('a', { running: {} }), status('b', {}, ended(1))]
    expect(phaseOf(pod, statuses, { terminal: false, initialized: true })).toBe('Pending')
  })

  it('is Failed when nothing is started any more and one failed', () => {
    const statuses = [status('a', ended(0)), status('b', ended(1))]
    expect(phaseOf(pod, statuses, { terminal: true, initialized: true })).toBe('Failed')
  })
})
