import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pod } from '../kube/kinds.ts'
import { defaultProfile, instant } from '../kube/lag.ts'
import type { Pod as PodObject } from '../kube/objects.ts'
import { ms, seconds } from '../world/time.ts'
import { scripted, testNode, testPod } from './testkit.ts'

/** How a program behaves at each of its starts: seconds until it listens, until it ends, and what SIGTERM does. */
interface Behaviour {
  listensAfter: number
  endsAfter: number | undefined
  exitCode: number
  stopsAfter: number | undefined
}

const behaviour = fc.record<Behaviour>({
  listensAfter: fc.integer({ min: 0, max: 40 }),
  endsAfter: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined, freq: 2 }),
  exitCode: fc.constantFrom(0, 1),
  stopsAfter: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
})

const probe = fc.option(
  fc.record({
    tcpSocket: fc.constant({ port: 1 }),
    initialDelaySeconds: fc.integer({ min: 0, max: 10 }),
    periodSeconds: fc.integer({ min: 1, max: 12 }),
    failureThreshold: fc.integer({ min: 1, max: 4 }),
  }),
  { nil: undefined },
)

const container = fc.record({
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  preStopSeconds: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  gpus: fc.integer({ min: 0, max: 2 }),
})

const scenario = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  lag: fc.boolean(),
  behaviours: fc.array(behaviour, { minLength: 1, maxLength: 8 }),
  pods: fc.array(
    fc.record({
      restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
      grace: fc.integer({ min: 1, max: 30 }),
      sidecar: fc.boolean(),
      init: fc.integer({ min: 0, max: 2 }),
      containers: fc.array(container, { minLength: 1, maxLength: 2 }),
      deleteAt: fc.option(fc.integer({ min: 2, max: 150 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
})
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

interface Instance {
  pod: string
  container: string
  startedAt: number
  endedAt: number | undefined
  exitCode: number | undefined
  devices: readonly string[]
  termAt: number | undefined
}

function play(s: Scenario) {
  const instances: Instance[] = []
  let started = 0
  const { programFor } = scripted((context) => {
    const { clock, pod, container: spec, devices } = context
    const b = s.behaviours[started++ % s.behaviours.length]!
    const me: Instance = {
      pod: pod.metadata.name,
      container: spec.name,
      startedAt: clock.now,
      endedAt: undefined,
      exitCode: undefined,
      devices,
      termAt: undefined,
    }
    instances.push(me)
    const end = (code: number) => {
      if (me.endedAt !== undefined) return
      me.endedAt = clock.now
      me.exitCode = code
      context.exit(code)
    }
    const isInit = spec.name.startsWith('init')
    const endsAfter = isInit ? 3 : b.endsAfter
    if (endsAfter !== undefined)
      clock.after(seconds(endsAfter), () => end(isInit && b.exitCode ? started % 2 : b.exitCode))
    const listensAt = clock.now + seconds(b.listensAfter)
    return {
      accepts: () => clock.now >= listensAt && me.endedAt === undefined,
      signal: (signal) => {
        if (signal === 'SIGKILL') {
          me.endedAt ??= clock.now
          me.exitCode ??= 137
        } else {
          me.termAt = clock.now
          if (b.stopsAfter !== undefined) clock.after(seconds(b.stopsAfter), () => end(0))
        }
      },
    }
  })
  const gpu = { product: 'NVIDIA-A100-SXM4-80GB', memoryBytes: 8e10, count: 4 }
  const profile = s.lag ? defaultProfile : instant
  const t = testNode({ programFor, node: { gpu }, profile, seed: s.seed })
  s.pods.forEach((pod, i) => {
    t.create(testPod(specOf(pod), `p${i}`))
  })
  const deletions = s.pods.flatMap((p, i) => (p.deleteAt === undefined ? [] : [{ at: p.deleteAt, name: `p${i}` }]))
  for (const { at, name } of deletions.sort((a, b) => a.at - b.at)) {
    t.at(at)
    if (!t.gone(name)) t.store.delete(Pod, `default/${name}`, 'test')
  }
  t.at(400)
  return { t, instances }
}

function specOf(pod: Scenario['pods'][number]) {
  const sidecar = pod.sidecar ? [{ name: 'side', restartPolicy: 'Always' }] : []
  const init = Array.from({ length: pod.init }, (_, n) => ({ name: `init${n}` }))
  return {
    restartPolicy: pod.restartPolicy,
    terminationGracePeriodSeconds: pod.grace,
    initContainers: [...sidecar, ...init],
    containers: pod.containers.map(({ preStopSeconds, gpus, ...probes }, n) => ({
      name: `c${n}`,
      ...Object.fromEntries(Object.entries(probes).filter(([, p]) => p !== undefined)),
      ...(preStopSeconds && preStopSeconds < pod.grace
        ? { lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } } }
        : {}),
      ...(gpus > 0 ? { resources: { limits: { 'nvidia.com/gpu': String(gpus) } } } : {}),
    })),
  }
}

const overlaps = (a: Instance, b: Instance): boolean =>
  a.startedAt < (b.endedAt ?? Number.POSITIVE_INFINITY) && b.startedAt < (a.endedAt ?? Number.POSITIVE_INFINITY)

describe('whatever pods a node is given', () => {
  it('keeps what a kubelet promises', () => {
    fc.assert(
      fc.property(scenario, (s) => {
        const { t, instances } = play(s)
        instances.forEach((a, i) => {
          for (const b of instances.slice(i + 1)) {
            if (!overlaps(a, b)) continue
            // one instance of a container at a time, and one holder of a device
            expect(`${a.pod}/${a.container}`).not.toBe(`${b.pod}/${b.container}`)
            expect(a.devices.filter((d) => b.devices.includes(d))).toEqual([])
          }
          const { grace, init } = s.pods[Number(a.pod.slice(1))]!
          // SIGKILL follows SIGTERM within the grace period, or the two seconds there always are
          if (a.termAt !== undefined && a.endedAt !== undefined)
            expect(a.endedAt - a.termAt).toBeLessThanOrEqual(seconds(Math.max(grace, 2)) + ms(20))
          // init containers before it have ended well
          const before = a.container.startsWith('init')
            ? Number(a.container.slice(4))
            : a.container === 'side'
              ? 0
              : init
          for (let n = 0; n < before; n++)
            expect(
              instances.some(
                (b) => b.pod === a.pod && b.container === `init${n}` && b.exitCode === 0 && b.endedAt! <= a.startedAt,
              ),
            ).toBe(true)
        })
        expectHonestStatuses(t.journal.records)
        s.pods.forEach((pod, i) => {
          // grace, a preStop hook inside it, up to three relists, and 200 s of slack are over by now
          if (pod.deleteAt !== undefined) expect(t.gone(`p${i}`)).toBe(true)
        })
        for (const id of t.node.gpus) {
          const holder = t.node.holderOf(id)
          if (holder) expect(t.store.list(Pod).map((p) => p.metadata.uid)).toContain(holder.podUid)
        }
      }),
      { numRuns: 120 },
    )
  })

  it('does the same again from the same seed', () => {
    const header = { schemaVersion: 1, seatrial: '0', seed: 0, scenario: '', tier: '', inputs: {} } as const
    fc.assert(
      fc.property(scenario, (s) => {
        expect(play(s).t.journal.hash(header)).toBe(play(s).t.journal.hash(header))
      }),
      { numRuns: 10 },
    )
  })
})

/** No container is ready before it has started, no Ready pod has an unready container, and phases do not go back. */
function expectHonestStatuses(records: ReturnType<typeof testNode>['journal']['records']): void {
  const phases = new Map<string, string>()
  const rank = { Pending: 0, Running: 1, Succeeded: 2, Failed: 2, Unknown: 0 } as const
  for (const record of records) {
    if (record.type !== 'object' || record.kind !== 'pods' || record.verb !== 'MODIFIED') continue
    const status = (record.value as Partial<PodObject> | undefined)?.status as Partial<PodObject['status']> | undefined
    // upstream lets an instance inherit `started` from one that was killed by a probe, until the startup probe looks at it
    for (const c of status?.containerStatuses ?? []) if (c.ready && c.restartCount === 0) expect(c.started).toBe(true)
    const ready = status?.conditions?.find((c) => c.type === 'Ready')
    if (ready?.status === 'True') for (const c of status?.containerStatuses ?? []) expect(c.ready).toBe(true)
    if (!status?.phase) continue
    const before = phases.get(record.key)
    if (before === 'Succeeded' || before === 'Failed') expect(status.phase).toBe(before)
    if (before) expect(rank[status.phase]).toBeGreaterThanOrEqual(rank[before as keyof typeof rank])
    phases.set(record.key, status.phase)
  }
}
