import { describe, expect, it } from 'vitest'
import { container, pod } from './testing.ts'
import { unmodelledFields } from './unmodelled.ts'

describe('unmodelledFields', () => {
  it('has nothing to say about a plain pod with volumes that go anywhere', () => {
    const volumes = [
      { name: 'shm', emptyDir: { medium: 'Memory' } },
      { name: 'hf', secret: { secretName: 'hf' } },
    ]
    expect(unmodelledFields(pod('x', { gpus: 1, spec: { volumes } }))).toEqual([])
  })

  it('names what places a pod in ways that are not modelled', () => {
    const volumes = [
      { name: 'shm', emptyDir: {} },
      { name: 'weights', persistentVolumeClaim: { claimName: 'weights' } },
    ]
    const claiming = { ...container('main'), resources: { claims: [{ name: 'gpu' }] } }
    const spec = { volumes, containers: [claiming], resourceClaims: [{ name: 'gpu' }], schedulerName: 'kueue' }
    expect(unmodelledFields(pod('x', { spec }))).toEqual([
      'spec.volumes[1].persistentVolumeClaim',
      'spec.resourceClaims',
      'spec.containers[0].resources.claims',
      'spec.schedulerName',
    ])
  })
})
