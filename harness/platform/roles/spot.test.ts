import { describe, expect, it } from 'vitest'
import type { Draft, KubeObject, PodSpec } from '../../../sandbox/kube/objects.ts'
import { seconds } from '../../../sandbox/world/time.ts'
import { noticesOf } from './spot.ts'

const workload = (kind: string, name: string, spec: object) =>
  ({ apiVersion: 'apps/v1', kind, metadata: { name }, spec: { template: { spec } } }) as unknown as Draft<KubeObject>

function notices(options: {
  labels?: Record<string, string>
  pod?: Partial<PodSpec>
  others?: readonly Draft<KubeObject>[]
}) {
  const { labels, pod = {}, others = [] } = options
  return noticesOf({
    objects: [workload('Deployment', 'chat', { containers: [], ...pod }), ...others],
    nodes: [{ name: 'gpu', count: 1, cpu: '8', memory: '1Gi', ...(labels ? { labels } : {}) }],
    pool: 'gpu',
    subject: { kind: 'Deployment', namespace: 'default', name: 'chat' },
  })
}

const handler = (image: string, env: object[] = []) =>
  workload('DaemonSet', 'handler', { containers: [{ image, env }] })

describe('notices of machines that the cloud takes back', () => {
  it.each([
    [{ 'cloud.google.com/gke-spot': 'true' }, 'GCP', 30, "GKE's graceful node shutdown"],
    [{ 'kubernetes.azure.com/scalesetpriority': 'spot' }, 'Azure', 30, "AKS' node auto-drain"],
    [
      { 'eks.amazonaws.com/nodegroup': 'a', 'eks.amazonaws.com/capacityType': 'SPOT' },
      'AWS',
      120,
      'the EKS managed node group',
    ],
    [{ 'karpenter.sh/capacity-type': 'spot' }, undefined, 120, undefined],
    [{ 'node.kubernetes.io/lifecycle': 'spot' }, undefined, 120, undefined],
  ])('by the labels of nodes: %j', (labels, provider, notice, name) => {
    const found = notices({ labels })
    expect(found).toMatchObject({ spot: true, provider, noticeUs: seconds(notice) })
    expect(found.handler?.name).toBe(name)
  })

  it.each([
    [{}],
    [{ labels: { 'karpenter.sh/capacity-type': 'on-demand' } }],
    [{ labels: { 'cloud.google.com/gke-nodepool': 'gpu' } }],
    [{ others: [handler('nvcr.io/nvidia/k8s-device-plugin:v0.17.0')] }],
  ])('nothing says that machines are taken back: %j', (options) => {
    expect(notices(options).spot).toBe(false)
  })

  it.each<[Partial<PodSpec>]>([
    [{ nodeSelector: { 'karpenter.sh/capacity-type': 'spot' } }],
    [{ tolerations: [{ key: 'cloud.google.com/gke-spot', operator: 'Equal', value: 'true', effect: 'NoSchedule' }] }],
    [{ tolerations: [{ key: 'kubernetes.azure.com/scalesetpriority', operator: 'Exists' }] }],
  ])('by what the pods select or tolerate: %j', (pod) => {
    expect(notices({ pod }).spot).toBe(true)
  })

  it('by who acts on the notice', () => {
    const image = 'public.ecr.aws/aws-ec2/aws-node-termination-handler:v1.25.2'
    expect(notices({ others: [handler(image)] })).toMatchObject({
      spot: true,
      provider: 'AWS',
      handler: { name: 'DaemonSet handler', handling: { kind: 'drain' } },
    })
    const told = (name: string, value: string) => notices({ others: [handler(image, [{ name, value }])] }).handler
    expect(told('ENABLE_SPOT_INTERRUPTION_DRAINING', 'true')).toBeDefined()
    expect(told('ENABLE_SPOT_INTERRUPTION_DRAINING', 'false')).toBeUndefined()
    expect(told('DRY_RUN', 'true')).toBeUndefined()
    const karpenter = 'public.ecr.aws/karpenter/controller:1.8.0'
    const queue = [{ name: 'INTERRUPTION_QUEUE', value: 'q' }]
    expect(notices({ others: [handler(karpenter, queue)] }).handler).toBeDefined()
    expect(notices({ others: [handler(karpenter)] }).handler).toBeUndefined()
  })
})
