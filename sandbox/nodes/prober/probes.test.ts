import { describe, expect, it } from 'vitest'
import { isReady } from '../../kube/pods.ts'
import { ms, seconds } from '../../world/time.ts'
import { scripted, testNode, testPod, timesOf } from '../testkit.ts'

/** A server that loads for a while, then answers. Ends two seconds after SIGTERM. */
const loading = (loadSeconds: number, status: () => number = () => 200) =>
  scripted(({ clock, exit }) => {
    const listensAt = clock.now + seconds(loadSeconds)
    const accepts = (port: number) => port === 8000 && clock.now >= listensAt
    return {
      accepts,
      httpGet: (port) => (accepts(port) ? { kind: 'answer', status: status(), afterUs: ms(3) } : { kind: 'refused' }),
      signal: (signal) => {
        if (signal === 'SIGTERM') clock.after(seconds(2), () => exit(0))
      },
    }
  })

const get = { httpGet: { path: '/health', port: 8000 } }

describe('the scheme of a probe', () => {
  const message = (scheme: 'HTTP' | 'HTTPS', tls: boolean | undefined) => {
    const { programFor } = scripted(() => ({
      accepts: () => true,
      httpGet: () => ({ kind: 'answer', status: 200, afterUs: ms(3) }),
      ...(tls === undefined ? {} : { speaksTls: () => tls }),
    }))
    const t = testNode({ programFor })
    const readinessProbe = { httpGet: { path: '/health', port: 8000, scheme }, periodSeconds: 5 }
    t.create(testPod({ containers: [{ name: 'a', readinessProbe }] }))
    t.at(60)
    return isReady(t.pod()) ? 'ready' : t.events('Unhealthy')[0]?.message
  }
  // texts: Go's net/http against uvicorn 0.54 with and without --ssl-certfile, on uvloop and asyncio alike
  it.each([
    ['HTTP', false, 'ready'],
    ['HTTPS', true, 'ready'],
    ['HTTPS', undefined, 'ready'],
    [
      'HTTPS',
      false,
      'Readiness probe failed: Get "https://10.128.0.2:8000/health": http: server gave HTTP response to HTTPS client',
    ],
    ['HTTP', true, 'Readiness probe failed: Get "http://10.128.0.2:8000/health": EOF'],
  ] as const)('%s, where the server speaks TLS: %s', (scheme, tls, found) => expect(message(scheme, tls)).toBe(found))
})

describe('a probe that cannot be sent', () => {
  // texts: pkg/probe/util.go ResolveContainerPort; os/exec by which runc looks for a program
  it.each([
    [
      'a port of a name nobody declares',
      { httpGet: { path: '/health', port: 'api' } },
      'strconv.Atoi: parsing "api": invalid syntax',
    ],
    [
      'a command line in one word',
      { exec: { command: ['cat /tmp/ready'] } },
      'exec: "cat /tmp/ready": stat cat /tmp/ready: no such file or directory',
    ],
  ])('%s counts as neither success nor failure: nothing is killed, nothing gets Ready', (_, handler, why) => {
    const { programFor } = loading(0)
    const t = testNode({ programFor })
    const livenessProbe = { ...handler, periodSeconds: 1, failureThreshold: 1 }
    t.create(testPod({ containers: [{ name: 'a', livenessProbe, readinessProbe: { ...handler, periodSeconds: 5 } }] }))
    t.at(60)
    expect(t.events('Killing')).toEqual([])
    expect(isReady(t.pod())).toBe(false)
    expect(t.events('Unhealthy').map(({ message }) => message)).toContain(
      `Readiness probe errored and resulted in unknown state: ${why}`,
    )
  })
})

describe('a startup probe', () => {
  it('gives a container initialDelay + period × threshold, counted from the ticker that began with the pod', () => {
    const { runs, programFor } = loading(10_000)
    const t = testNode({ programFor })
    const startupProbe = { ...get, periodSeconds: 10, failureThreshold: 6 }
    t.create(testPod({ containers: [{ name: 'a', startupProbe }] }))
    t.at(400)
    // the ticker begins when volumes are mounted, 1.3 s; the container starts at 1.87 s; probes at 11.3, 21.3 … 61.3 s
    expect(runs[0]!.startedAt).toBe(seconds(1.87))
    expect(timesOf(t.events('Unhealthy')).slice(0, 6)).toEqual([11.3, 21.3, 31.3, 41.3, 51.3, 61.3])
    expect(t.events('Unhealthy')[0]!.message).toBe(
      'Startup probe failed: Get "http://10.128.0.2:8000/health": dial tcp 10.128.0.2:8000: connect: connection refused',
    )
    const killed = t.events('Killing')[0]!
    expect(killed.message).toBe('Container a failed startup probe, will be restarted')
    // the sync that kills waits for a relist newer than the sync before: none is needed after so long
    expect(killed.at / 1e6).toBeCloseTo(61.3, 2)
    // SIGTERM, two seconds, and a new instance at once: the first kill meets no back-off
    expect(runs[0]!.endedAt! / 1e6).toBeCloseTo(63.3, 2)
    expect((runs[1]!.startedAt - runs[0]!.endedAt!) / 1e6).toBeCloseTo(0.12, 2)
  })

  it('begins after initialDelaySeconds, measured from the start cut to whole seconds', () => {
    const { programFor } = loading(10_000)
    const t = testNode({ programFor })
    const startupProbe = { ...get, initialDelaySeconds: 30, periodSeconds: 5, failureThreshold: 3 }
    t.create(testPod({ containers: [{ name: 'a', startupProbe }] }))
    t.at(60)
    // ticks at 1.3 + 5 n; the status says started at 1 s, so 31.3 s is late enough
    expect(timesOf(t.events('Unhealthy')).slice(0, 3)).toEqual([31.3, 36.3, 41.3])
    expect(t.events('Killing')[0]!.at / 1e6).toBeCloseTo(41.3, 2)
  })

  it('decides by the length of loading whether a container lives', () => {
    const startupProbe = { ...get, periodSeconds: 10, failureThreshold: 6 }
    const verdict = (load: number) => {
      const { runs, programFor } = loading(load)
      const t = testNode({ programFor })
      t.create(testPod({ containers: [{ name: 'a', startupProbe, readinessProbe: get }] }))
      t.at(120)
      return { starts: runs.length, ready: isReady(t.pod()) }
    }
    // the sixth probe comes 59.43 s after the start
    expect(verdict(59.4)).toEqual({ starts: 1, ready: true })
    expect(verdict(59.5).starts).toBeGreaterThan(1)
  })

  it('holds liveness and readiness until it succeeds, then readiness is probed at once', () => {
    const { programFor } = loading(33)
    const t = testNode({ programFor })
    const startupProbe = { ...get, periodSeconds: 5, failureThreshold: 20 }
    const livenessProbe = { ...get, periodSeconds: 2, failureThreshold: 1 }
    const readinessProbe = { ...get, periodSeconds: 60 }
    t.create(testPod({ containers: [{ name: 'a', startupProbe, livenessProbe, readinessProbe }] }))
    t.at(36)
    expect(isReady(t.pod())).toBe(false)
    expect(t.pod().status.containerStatuses![0]!.started).toBe(false)
    // success at the tick of 36.3 s; the sync after it runs the readiness probe, not its own ticker at 61.3 s
    t.at(38)
    expect(t.pod().status.containerStatuses![0]!.started).toBe(true)
    expect(isReady(t.pod())).toBe(true)
    expect(t.events('Killing')).toEqual([])
    expect(t.events('Unhealthy').every((e) => e.message.startsWith('Startup'))).toBe(true)
  })
})

describe('a liveness probe', () => {
  it('kills a container that is still loading, again and again', () => {
    const { runs, programFor } = loading(120)
    const t = testNode({ programFor })
    const livenessProbe = { ...get, initialDelaySeconds: 30, periodSeconds: 10, failureThreshold: 3 }
    t.create(testPod({ containers: [{ name: 'a', livenessProbe }] }))
    t.at(100)
    // nothing but a readiness probe makes a running container unready
    expect(isReady(t.pod())).toBe(true)
    t.at(900)
    expect(timesOf(t.events('Unhealthy')).slice(0, 3)).toEqual([31.3, 41.3, 51.3])
    expect(t.events('Killing')[0]!.message).toBe('Container a failed liveness probe, will be restarted')
    expect(runs.length).toBeGreaterThanOrEqual(4)
    expect(t.pod().status.containerStatuses![0]!.restartCount).toBe(runs.length - 1)
    // back-off is only in the way once it is longer than a container lives
    expect(t.events('BackOff')[0]!.at).toBeGreaterThan(seconds(200))
    for (const run of runs) expect((run.endedAt ?? run.startedAt) - run.startedAt).toBeLessThan(seconds(120))
  })

  it('lives with less than failureThreshold misses in a row', () => {
    let down = false
    const { runs, programFor } = loading(1, () => (down ? 500 : 200))
    const t = testNode({ programFor })
    const livenessProbe = { ...get, periodSeconds: 10, failureThreshold: 3 }
    t.create(testPod({ containers: [{ name: 'a', livenessProbe }] }))
    t.at(40)
    down = true
    t.at(60)
    down = false
    t.at(100)
    expect(t.events('Unhealthy')).toHaveLength(2)
    expect(t.events('Unhealthy')[0]!.message).toBe('Liveness probe failed: HTTP probe failed with statuscode: 500')
    expect(runs).toHaveLength(1)
  })

  it('whose command asks for a completion follows the engine: late is dead, and the request is given up', () => {
    let answerUs: number | undefined = ms(300)
    let [asked, givenUp] = [0, 0]
    const { runs, programFor } = scripted(({ clock }) => ({
      accepts: (port) => port === 8000,
      httpPost(_port, _request, answered) {
        asked++
        if (answerUs !== undefined) clock.after(answerUs, () => answered({ kind: 'answer', status: 200, afterUs: 0 }))
        return () => void givenUp++
      },
    }))
    const t = testNode({ programFor })
    const command = ['curl', '-sf', '-d', '{}', 'http://localhost:8000/v1/completions']
    const livenessProbe = { exec: { command }, periodSeconds: 10, timeoutSeconds: 4, failureThreshold: 3 }
    t.create(testPod({ containers: [{ name: 'a', livenessProbe }] }))
    t.at(60)
    expect(asked).toBe(5)
    expect(t.events('Unhealthy')).toEqual([])
    answerUs = undefined
    t.at(88)
    expect(timesOf(t.events('Unhealthy'))).toEqual([65.3, 75.3, 85.3])
    expect(t.events('Unhealthy')[0]!.message).toBe(
      `Liveness probe failed: command timed out: "${command.join(' ')}" timed out after 4s`,
    )
    expect(givenUp).toBe(3)
    expect(t.events('Killing')).toHaveLength(1)
    t.at(130)
    expect(runs.length).toBeGreaterThan(1)
  })

  it('uses its own grace period when it has one', () => {
    const { runs, programFor } = scripted(() => ({}))
    const t = testNode({ programFor })
    const livenessProbe = {
      tcpSocket: { port: 1 },
      periodSeconds: 5,
      failureThreshold: 1,
      terminationGracePeriodSeconds: 7,
    }
    t.create(testPod({ containers: [{ name: 'a', livenessProbe }], terminationGracePeriodSeconds: 600 }))
    t.at(60)
    const [term, kill] = runs[0]!.signals
    expect((kill!.at - term!.at) / 1e6).toBeCloseTo(7, 1)
    expect(t.events('Unhealthy')[0]!.message).toBe(
      'Liveness probe failed: dial tcp 10.128.0.2:1: connect: connection refused',
    )
  })

  it('calls a server that hangs dead after its timeout', () => {
    const { programFor } = scripted(() => ({ accepts: () => true, httpGet: () => ({ kind: 'hang' }) }))
    const t = testNode({ programFor })
    const livenessProbe = { ...get, periodSeconds: 10, failureThreshold: 2, timeoutSeconds: 3 }
    t.create(testPod({ containers: [{ name: 'a', livenessProbe }] }))
    t.at(26)
    expect(timesOf(t.events('Unhealthy'))).toEqual([14.3, 24.3])
    expect(t.events('Unhealthy')[0]!.message).toBe(
      'Liveness probe failed: Get "http://10.128.0.2:8000/health": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    )
    expect(t.events('Killing')).toHaveLength(1)
  })
})

describe('a readiness probe', () => {
  it('turns the pod unready and ready again, by its thresholds', () => {
    let down = false
    const { programFor } = loading(1, () => (down ? 503 : 200))
    const t = testNode({ programFor })
    const readinessProbe = { ...get, periodSeconds: 5, failureThreshold: 2, successThreshold: 2 }
    t.create(testPod({ containers: [{ name: 'a', readinessProbe }] }))
    t.at(40)
    expect(isReady(t.pod())).toBe(true)
    down = true
    const since = () => t.events('Unhealthy').filter((e) => e.at > seconds(40)).length
    while (since() < 1) t.clock.runUntil(t.clock.now + ms(100))
    expect(isReady(t.pod())).toBe(true)
    while (since() < 2) t.clock.runUntil(t.clock.now + ms(100))
    t.clock.runUntil(t.clock.now + ms(100))
    expect(isReady(t.pod())).toBe(false)
    const [before] = [t.clock.now]
    down = false
    while (!isReady(t.pod())) t.clock.runUntil(t.clock.now + ms(100))
    expect(t.clock.now - before).toBeLessThan(seconds(10.5))
    expect(t.events('Killing')).toEqual([])
  })

  it('takes redirects for success and exec for what the program says', () => {
    const { programFor } = loading(1, () => 302)
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a', readinessProbe: get }] }))
    t.create(testPod({ containers: [{ name: 'a', readinessProbe: { exec: { command: ['check'] } } }] }, 'two'))
    t.at(40)
    expect(isReady(t.pod())).toBe(true)
    expect(t.journal.records.filter((r) => r.type === 'note').map((r) => r.text)).toEqual([
      'UNMODELLED exec readiness probe: ["check"]',
    ])
  })
})
