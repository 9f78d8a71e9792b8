import { describe, expect, it } from 'vitest'
import { Pod, PodDisruptionBudget } from '../kube/kinds.ts'
import { draft, testStore } from './testkit.ts'

const CONTAINERS = { containers: [{ name: 'main', image: 'app:1' }] }

/** A pod that is not ready, under a budget that lets such pods go. */
function unready() {
  const { store } = testStore()
  store.create(Pod, draft({ name: 'a', labels: { app: 'web' } }, CONTAINERS), 'test')
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] }
  store.patch(Pod, 'default/a', { status }, 'test', { subresource: 'status' })
  const spec = { selector: { matchLabels: { app: 'web' } }, unhealthyPodEvictionPolicy: 'AlwaysAllow', minAvailable: 1 }
  store.create(PodDisruptionBudget, draft({ name: 'web' }, spec), 'test')
  return store
}

describe('the eviction of a pod that is not ready', () => {
  it('holds to the version that was judged, not to the one asked for', () => {
    const store = unready()
    store.evict('default/a', { resourceVersion: '1' }, 'test')
    expect(store.peek(Pod, 'default/a')).toBeUndefined()
  })

  it('of another uid is to be tried again', () => {
    const store = unready()
    const evict = () => store.evict('default/a', { uid: 'other' }, 'test')
    expect(evict).toThrow(
      expect.objectContaining({ code: 429, details: expect.objectContaining({ retryAfterSeconds: 10 }) }),
    )
  })
})
