import { describe, expect, it } from 'vitest'
import type { Draft, KubeObject } from '../../../sandbox/kube/objects.ts'
import { minutes } from '../../../sandbox/world/time.ts'
import { remediationIn } from './remediation.ts'

const IMAGE = 'registry.k8s.io/descheduler/descheduler:v0.34.0'

const policy = (args: string, evictor = '{}', enabled = 'RemovePodsHavingTooManyRestarts') => `
profiles:
  - name: a
    pluginConfig:
      - { name: DefaultEvictor, args: ${evictor} }
      - { name: RemovePodsHavingTooManyRestarts, args: ${args} }
    plugins: { deschedule: { enabled: [${enabled}] } }
`

function found(text: string | undefined, options: { args?: string[]; schedule?: string; image?: string } = {}) {
  const { args = ['--descheduling-interval=5m'], schedule, image = IMAGE } = options
  const template = {
    spec: { containers: [{ name: 'a', image, args }], volumes: [{ name: 'p', configMap: { name: 'policy' } }] },
  }
  const metadata = { name: 'descheduler', namespace: 'kube-system' }
  const objects: object[] = [
    schedule === undefined
      ? { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { template } }
      : { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec: { schedule, jobTemplate: { spec: { template } } } },
  ]
  if (text !== undefined)
    objects.push({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'policy', namespace: 'kube-system' },
      data: { 'policy.yaml': text },
    })
  return remediationIn(objects as Draft<KubeObject>[])
}

describe('what moves pods off what is broken', () => {
  it('reads a descheduler: interval, threshold, what it protects', () => {
    expect(found(policy('{ podRestartThreshold: 4, includingInitContainers: true }')).descheduler).toEqual({
      intervalUs: minutes(5),
      restarts: 4,
      includingInitContainers: true,
      protects: { localStorage: true, critical: true, claims: false },
    })
    const open = policy('{ podRestartThreshold: 4 }', '{ podProtections: { defaultDisabled: [PodsWithLocalStorage] } }')
    expect(found(open, { schedule: '*/2 * * * *' }).descheduler).toMatchObject({
      intervalUs: minutes(2),
      protects: { localStorage: false },
    })
  })

  it.each<[string | undefined, Parameters<typeof found>[1], string]>([
    [undefined, {}, 'its policy is not among the manifests'],
    [policy('{ podRestartThreshold: 4, labelSelector: {} }'), {}, 'RemovePodsHavingTooManyRestarts.labelSelector'],
    [policy('{ podRestartThreshold: 4 }', '{ nodeFit: true }'), {}, 'DefaultEvictor.nodeFit'],
    [policy('{ podRestartThreshold: 4 }'), { schedule: '0 3 * * *' }, 'when it runs'],
    [policy('{ podRestartThreshold: 4 }'), { args: [] }, 'when it runs'],
    ['profiles: [', {}, 'no YAML'],
    [undefined, { image: 'planetlabs/draino:v1' }, 'drains nodes'],
    [undefined, { image: 'ghcr.io/nvidia/nvsentinel/fault-quarantine:v1' }, 'what their GPUs report'],
  ])('says what it cannot act for: %#', (text, options, why) => {
    const { descheduler, unmodelled } = found(text, options)
    expect(descheduler).toBeUndefined()
    expect(unmodelled).toEqual([
      { what: expect.stringContaining('kube-system/descheduler'), why: expect.stringContaining(why) },
    ])
  })

  it('leaves aside a descheduler that does not look at restarts, and other images', () => {
    expect(found(policy('{}', '{}', 'LowNodeUtilization'))).toEqual({ unmodelled: [], policy: expect.anything() })
    expect(found(undefined, { image: 'vllm/vllm-openai:v0.11.0' })).toEqual({ unmodelled: [] })
  })
})
