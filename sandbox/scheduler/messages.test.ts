import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../kube/objects.ts'
import { labelSelector } from '../kube/selectors.ts'
import { randomStream } from '../world/random.ts'
import { Algorithm } from './algorithm.ts'
import { SchedulerCache } from './cache.ts'
import { fitMessage } from './framework/fit-error.ts'
import { defaultPlugins } from './framework/plugins/index.ts'
import { podInfo } from './framework/pod-info.ts'
import { postFilter } from './post-filter.ts'
import { Preemption } from './preemption.ts'
import { container, node, pod } from './testing.ts'

const noNominations = { on: () => [] }
const listers = { services: () => [], controllerSelector: () => undefined, namespaceLabels: () => undefined }

/** What the pod's condition and event would say. */
function message(nodes: readonly Node[], running: readonly Pod[], incoming: Pod): string {
  const cache = new SchedulerCache()
  for (const each of nodes) cache.setNode(each)
  for (const each of running) cache.addPod(each)
  const shared = { cache, nominations: noNominations, random: randomStream(1, 'test') }
  const decision = new Algorithm({ ...shared, plugins: defaultPlugins(listers) }).schedule(podInfo(incoming))
  if (decision.kind !== 'unfit') throw new Error(`expected no fit, got ${decision.kind}`)
  const { filters, diagnosis } = decision
  const outcome = postFilter(new Preemption(shared), podInfo(incoming), filters, diagnosis, { now: 0, budgets: [] })
  return fitMessage(decision.nodes, { ...diagnosis, postFilterMessage: outcome.message })
}

const four = (options: Parameters<typeof node>[1] = {}) => [0, 1, 2, 3].map((i) => node(`node-${i}`, options))
const full = (priority = 0) => [0, 1, 2, 3].map((i) => pod(`old-${i}`, { gpus: 8, node: `node-${i}`, priority }))

describe('the message of a pod that fits nowhere', () => {
  it('says that GPUs are taken by pods that may not be preempted', () => {
    expect(message(four({ gpus: 8 }), full(), pod('new', { gpus: 8 }))).toBe(
      '0/4 nodes are available: 4 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/4 nodes are available: 4 No preemption victims found for incoming pod.',
    )
  })

  it('says that preemption does not help where no node is large enough', () => {
    expect(message(four({ gpus: 8 }), [], pod('new', { gpus: 16 }))).toBe(
      '0/4 nodes are available: 4 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.',
    )
  })

  it('counts reasons and sorts them as text', () => {
    const nodes = [
      node('cordoned', { gpus: 8, unschedulable: true }),
      node('tainted', { gpus: 8, taints: [{ key: 'nvidia.com/gpu', effect: 'NoSchedule' }] }),
      node('small', { gpus: 8, cpu: '1', memory: '1Gi', pods: '0' }),
      ...Array.from({ length: 10 }, (_, i) => node(`cpu-${i}`)),
    ]
    expect(message(nodes, [], pod('new', { gpus: 1, cpu: '2', memory: '2Gi' }))).toBe(
      '0/13 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 10 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/13 nodes are available: 13 Preemption is not helpful for scheduling.',
    )
  })

  it.each<[string, Pod, string]>([
    [
      'selector',
      pod('new', { spec: { nodeSelector: { gpu: 'h200' } } }),
      "4 node(s) didn't match Pod's node affinity/selector",
    ],
    ['node name', pod('new', { spec: { nodeName: 'gone' } }), "4 node(s) didn't match the requested node name"],
    [
      'spreading over a key no node has',
      pod('new', {
        spec: {
          topologySpreadConstraints: [
            { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
          ],
        },
      }),
      "4 node(s) didn't match pod topology spread constraints (missing required label)",
    ],
    [
      'affinity to nobody',
      pod('new', {
        spec: {
          affinity: {
            podAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'none' } } },
              ],
            },
          },
        },
      }),
      "4 node(s) didn't match pod affinity rules",
    ],
  ])('names %s', (_, incoming, reason) => {
    expect(message(four(), [], incoming)).toBe(
      `0/4 nodes are available: ${reason}. no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.`,
    )
  })

  it('names host ports and anti-affinity, which preemption could change', () => {
    const ports = [{ containerPort: 80, hostPort: 80, protocol: 'TCP' as const }]
    const withPort = { containers: [{ ...container('main'), ports }] }
    const holders = four().map((n, i) => pod(`old-${i}`, { node: n.metadata.name, spec: withPort }))
    expect(message(four(), holders, pod('new', { spec: withPort }))).toBe(
      "0/4 nodes are available: 4 node(s) didn't have free ports for the requested pod ports. no new claims to deallocate, preemption: 0/4 nodes are available: 4 No preemption victims found for incoming pod.",
    )
    const alone = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'vllm' } } },
          ],
        },
      },
    }
    const loners = four().map((n, i) => pod(`old-${i}`, { node: n.metadata.name, spec: alone }))
    expect(message(four(), loners, pod('new', { spec: alone }))).toContain(
      "4 node(s) didn't match pod anti-affinity rules.",
    )
    expect(message(four(), loners, pod('new'))).toContain("4 node(s) didn't satisfy existing pods anti-affinity rules.")
  })

  it('leaves preemption out when it found victims', () => {
    expect(message(four({ gpus: 8 }), full(0), pod('new', { gpus: 8, priority: 10 }))).toBe(
      '0/4 nodes are available: 4 Insufficient nvidia.com/gpu.',
    )
  })

  it('says that the pod may not preempt', () => {
    const incoming = pod('new', { gpus: 8, priority: 10, spec: { preemptionPolicy: 'Never' } })
    expect(message(four({ gpus: 8 }), full(0), incoming)).toBe(
      '0/4 nodes are available: 4 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
    )
  })

  it('waits for victims that are going', () => {
    const condition = { type: 'DisruptionTarget', status: 'True' as const, reason: 'PreemptionByScheduler' }
    const going = full(0).map((p) => ({
      ...p,
      metadata: { ...p.metadata, deletionTimestamp: '2026-01-01T00:01:00Z' },
      status: { ...p.status, conditions: [condition] },
    }))
    const incoming = pod('new', { gpus: 8, priority: 10, status: { nominatedNodeName: 'node-1' } })
    expect(message(four({ gpus: 8 }), going, incoming)).toBe(
      '0/4 nodes are available: 4 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node.',
    )
  })

  it('says that terms about node names conflict', () => {
    const matchFields = ['node-0', 'node-1'].map((name) => ({
      key: 'metadata.name',
      operator: 'In' as const,
      values: [name],
    }))
    const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } }
    expect(message(four(), [], pod('new', { spec: { affinity: { nodeAffinity } } }))).toBe(
      '0/4 nodes are available: pod affinity terms conflict. not found',
    )
  })

  it('names the plugin that left nodes out', () => {
    const matchFields = [{ key: 'metadata.name', operator: 'In' as const, values: ['node-0'] }]
    const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } }
    expect(message(four({ gpus: 8 }), full(), pod('new', { gpus: 8, spec: { affinity: { nodeAffinity } } }))).toBe(
      "0/4 nodes are available: 1 Insufficient nvidia.com/gpu, 3 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, preemption: 0/4 nodes are available: 1 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.",
    )
  })

  it('knows no nodes', () => {
    const cache = new SchedulerCache()
    const algorithm = new Algorithm({
      cache,
      nominations: noNominations,
      random: randomStream(1, 'test'),
      plugins: defaultPlugins({ ...listers, controllerSelector: () => labelSelector({}) }),
    })
    expect(algorithm.schedule(podInfo(pod('new'))).kind).toBe('no-nodes')
  })
})
