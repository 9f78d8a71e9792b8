import { expect, it } from 'vitest'
import { Event as EventKind, Pod as PodKind } from '../kube/kinds.ts'
import { defaultProfile } from '../kube/lag.ts'
import { testNode, testPod } from './testkit.ts'
import type { Traffic } from './traffic.ts'

const main = { name: 'main', image: 'x' }

/** What the API server is asked to write of a pod until it runs, and what it holds then. */
function started(traffic: Traffic) {
  const t = testNode({ traffic })
  const versions: (string | undefined)[] = []
  t.store.watch(PodKind, {}, ({ object }) => versions.push(object.status.containerStatuses?.[0]?.state.waiting?.reason))
  t.create(testPod({ containers: [main] }))
  t.at(10)
  return { ...t, versions }
}

it('tells of a pod once, when it runs, and comes to the same', () => {
  const [least, full] = [started('least'), started('full')]
  expect(least.versions).toEqual([undefined, undefined])
  expect(full.versions).toEqual([undefined, 'ContainerCreating', 'ContainerCreating', undefined])
  const { startTime: _s, ...status } = least.pod().status
  const { startTime: _f, ...other } = full.pod().status
  expect(least.pod().status.phase).toBe('Running')
  const comparable = ({ containerStatuses, conditions, ...rest }: typeof status) => ({
    ...rest,
    ready: containerStatuses?.map(({ name, ready }) => [name, ready]),
    conditions: conditions?.map(({ type, status }) => [type, status]),
  })
  expect(comparable(status as typeof status)).toEqual(comparable(other as typeof status))
})

it('keeps Normal Events in the journal and sends Warnings', () => {
  const least = started('least')
  const stored = () => least.store.list(EventKind).map((event) => event.reason)
  expect(least.events().map((event) => event.reason)).toEqual(expect.arrayContaining(['Created', 'Started']))
  expect(stored()).toEqual([])
  least.create(testPod({ containers: [{ ...main, image: 'y', imagePullPolicy: 'Never' }] }, 'bad'))
  least.at(20)
  expect(stored()).toContain('ErrImageNeverPull')
  expect(least.pod('bad').status.containerStatuses?.[0]?.state.waiting?.reason).toBe('ErrImageNeverPull')
})

it('does not lay a status over what somebody else wrote meanwhile', () => {
  const t = testNode({ traffic: 'least', profile: defaultProfile })
  t.create(testPod({ containers: [main] }))
  for (let s = 1; s < 5; s += 0.2) {
    t.at(1 + s)
    const conditions = t.pod().status.conditions ?? []
    const gate = {
      type: 'example.com/gate',
      status: 'True' as const,
      lastTransitionTime: `2026-01-01T00:00:0${Math.floor(s)}Z`,
    }
    const others = conditions.filter(({ type }) => type !== gate.type)
    t.store.patch(PodKind, 'default/web', { status: { conditions: [...others, gate] } }, 'other', {
      subresource: 'status',
    })
  }
  t.at(40)
  expect(t.pod().status.conditions?.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['example.com/gate', 'Ready']),
  )
})

it('ends a pod that is deleted', () => {
  const { pod, store, at, gone } = started('least')
  expect(pod().status.phase).toBe('Running')
  store.delete(PodKind, 'default/web', 'test')
  at(60)
  expect(gone()).toBe(true)
})
