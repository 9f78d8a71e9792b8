import { expect, it } from 'vitest'
import { Lease } from '../kube/kinds.ts'
import { fromRfc3339, seconds } from '../world/time.ts'
import { testNode } from './testkit.ts'

const KEY = 'kube-node-lease/node-0'

/** The node, and when its Lease was written, in seconds. */
function renewing() {
  const t = testNode({ renewLease: true })
  const writes: number[] = []
  t.store.watch(Lease, {}, ({ verb }) => verb !== 'DELETED' && writes.push(t.clock.now / 1e6))
  return { ...t, writes }
}

it('is every ten seconds, up to four percent more, from a moment of its own', () => {
  const { at, writes, store } = renewing()
  at(100)
  expect(writes[0]).toBeLessThan(11)
  const gaps = writes.slice(1).map((time, i) => time - writes[i]!)
  expect(gaps.length).toBeGreaterThanOrEqual(8)
  for (const gap of gaps) {
    expect(gap).toBeGreaterThanOrEqual(10)
    expect(gap).toBeLessThanOrEqual(10.4)
  }
  const { spec } = store.get(Lease, KEY)
  expect(spec.renewTime).toMatch(/^2026-01-01T00:01:\d\d\.\d{6}Z$/)
  expect(Math.abs(fromRfc3339(spec.renewTime!) - seconds(writes.at(-1)!))).toBeLessThan(1000)
})

it('goes on over what somebody else wrote, and makes the Lease anew when it was deleted', () => {
  const { at, writes, store } = renewing()
  at(30)
  store.patch(Lease, KEY, { metadata: { labels: { touched: 'yes' } } }, 'other')
  const before = writes.length
  at(45)
  expect(writes.length).toBeGreaterThan(before)
  expect(store.get(Lease, KEY).metadata.labels).toEqual({ touched: 'yes' })
  store.delete(Lease, KEY, 'other')
  at(60)
  expect(store.get(Lease, KEY).spec.holderIdentity).toBe('node-0')
})
