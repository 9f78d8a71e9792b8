import { describe, expect, it } from 'vitest'
import type { Node, Pod, PodSpec } from '../../kube/objects.ts'
import { container, node, pod } from '../testing.ts'
import {
  ASSIGNED_POD_ADD,
  ASSIGNED_POD_DELETE,
  type ClusterEvent,
  hears,
  NODE_ADD,
  nodeChanges,
  podChanges,
} from './events.ts'
import { defaultPlugins } from './plugins/index.ts'

const plugins = defaultPlugins({
  services: () => [],
  controllerSelector: () => undefined,
  namespaceLabels: () => undefined,
})

/** The plugins that think that the pod may fit after the change. */
function hopeful(incoming: Pod, events: readonly ClusterEvent[], before?: Pod | Node, after?: Pod | Node): string[] {
  return plugins
    .filter(({ events: hints = [] }) =>
      hints.some((hint) => events.some((e) => hears(hint, e)) && (!hint.hint || hint.hint(incoming, before, after))),
    )
    .map(({ name }) => name)
}

const near = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'cache' } } }
const requires = (kind: 'podAffinity' | 'podAntiAffinity', term: typeof near & { namespaceSelector?: object }) =>
  ({ affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }) as Partial<PodSpec>

describe('queueing hints', () => {
  it('hears of a node that became larger, in what the pod asks for', () => {
    const [before, after] = [node('a', { gpus: 4 }), node('a', { gpus: 8 })]
    const events = nodeChanges(before, after)
    expect(hopeful(pod('x', { gpus: 8 }), events, before, after)).toContain('NodeResourcesFit')
    expect(hopeful(pod('x', { gpus: 16 }), events, before, after)).not.toContain('NodeResourcesFit')
    expect(hopeful(pod('x', { cpu: '1' }), events, before, after)).not.toContain('NodeResourcesFit')
  })

  it('hears of labels that make a node match, once', () => {
    const labels: Record<string, string>[] = [{}, { gpu: 'h100' }, { gpu: 'h100', x: 'y' }]
    const [bare, labelled, more] = labels.map((each) => node('a', { labels: each }))
    const wants = pod('x', { spec: { nodeSelector: { gpu: 'h100' } } })
    expect(hopeful(wants, nodeChanges(bare!, labelled!), bare, labelled)).toContain('NodeAffinity')
    expect(hopeful(wants, nodeChanges(labelled!, more!), labelled, more)).not.toContain('NodeAffinity')
  })

  it('hears of a node that is uncordoned', () => {
    const [before, after] = [node('a', { unschedulable: true }), node('a')]
    expect(hopeful(pod('x'), nodeChanges(before, after), before, after)).toContain('NodeUnschedulable')
    expect(hopeful(pod('x'), [NODE_ADD], undefined, before)).not.toContain('NodeUnschedulable')
  })

  it('hears of a deleted pod that held a wanted port', () => {
    const on = (hostPort: number) => {
      const ports = [{ containerPort: 80, hostPort, protocol: 'TCP' as const }]
      return { containers: [{ ...container('main'), ports }] }
    }
    const holder = pod('holder', { node: 'a', spec: on(80) })
    expect(hopeful(pod('x', { spec: on(80) }), [ASSIGNED_POD_DELETE], holder)).toContain('NodePorts')
    expect(hopeful(pod('x', { spec: on(81) }), [ASSIGNED_POD_DELETE], holder)).not.toContain('NodePorts')
  })

  it('hears of pods that affinity waits for and of those anti-affinity flees', () => {
    const cache = pod('cache', { node: 'a', labels: { app: 'cache' } })
    const follows = pod('x', { spec: requires('podAffinity', near) })
    const flees = pod('x', { spec: requires('podAntiAffinity', near) })
    expect(hopeful(follows, [ASSIGNED_POD_ADD], undefined, cache)).toContain('InterPodAffinity')
    expect(hopeful(follows, [ASSIGNED_POD_DELETE], cache)).not.toContain('InterPodAffinity')
    expect(hopeful(flees, [ASSIGNED_POD_DELETE], cache)).toContain('InterPodAffinity')
    const labelled = { ...cache, metadata: { ...cache.metadata, labels: { app: 'other' } } }
    expect(hopeful(flees, podChanges(cache, labelled), cache, labelled)).toContain('InterPodAffinity')
  })

  it('overlooks pods of namespaces selected by label', () => {
    const cache = pod('cache', { node: 'a', namespace: 'ml', labels: { app: 'cache' } })
    const follows = pod('x', {
      spec: requires('podAffinity', { ...near, namespaceSelector: { matchLabels: { team: 'ml' } } }),
    })
    expect(hopeful(follows, [ASSIGNED_POD_ADD], undefined, cache)).not.toContain('InterPodAffinity')
  })

  it('hears of matching pods where a topology is too skewed', () => {
    const topologySpreadConstraints = [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'DoNotSchedule' as const,
        labelSelector: { matchLabels: { app: 'vllm' } },
      },
    ]
    const waits = pod('x', { spec: { topologySpreadConstraints } })
    expect(hopeful(waits, [ASSIGNED_POD_DELETE], pod('y', { node: 'a' }))).toContain('PodTopologySpread')
    const other = pod('y', { node: 'a', labels: { app: 'other' } })
    expect(hopeful(waits, [ASSIGNED_POD_DELETE], other)).not.toContain('PodTopologySpread')
    expect(hopeful(waits, [NODE_ADD], undefined, node('n', { labels: { zone: 'z' } }))).toContain('PodTopologySpread')
  })
})
