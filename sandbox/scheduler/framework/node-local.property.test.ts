import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Node, Pod } from '../../kube/objects.ts'
import { labelSelector } from '../../kube/selectors.ts'
import { SchedulerCache } from '../cache.ts'
import { node, pod } from '../testing.ts'
import { NodeLocal } from './node-local.ts'
import type { Listers } from './plugin.ts'
import { defaultPlugins } from './plugins/index.ts'
import { podInfo } from './pod-info.ts'
import { preFilter, runFilters, scoreNodes } from './runtime.ts'

const listers: Listers = {
  services: () => [],
  controllerSelector: () => labelSelector({ matchLabels: { app: 'vllm' } }),
  namespaceLabels: () => undefined,
}

const image = { names: ['vllm/vllm-openai:v0.32.0'], sizeBytes: 9e9 }
const taint = (effect: 'NoSchedule' | 'PreferNoSchedule') => ({ key: 'gpu', effect })
const affinity = {
  nodeAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 7, preference: { matchExpressions: [{ key: 'big', operator: 'Exists' as const }] } },
    ],
  },
}
/** Pods of one template share their containers, and may differ in what they tolerate. */
const templates = [pod('a', { cpu: '1' }), pod('b', { gpus: 2, spec: { affinity } }), pod('c', { memory: '4Gi' })]
const tolerations = [undefined, [{ key: 'gpu', operator: 'Exists' as const }]]

const nodes = fc
  .record({
    name: fc.constantFrom('n0', 'n1', 'n2', 'n3', 'n4'),
    cpu: fc.constantFrom('2', '8'),
    gpus: fc.constantFrom(0, 4),
    zone: fc.constantFrom('a', 'b', ''),
    big: fc.boolean(),
    cordoned: fc.boolean(),
    taint: fc.constantFrom(undefined, taint('NoSchedule'), taint('PreferNoSchedule')),
    pulled: fc.boolean(),
  })
  .map(({ name, big, cordoned: unschedulable, taint: each, pulled, ...rest }) =>
    node(name, {
      ...rest,
      unschedulable,
      ...(each && { taints: [each] }),
      ...(pulled && { images: [image] }),
      ...(big && { labels: { big: '' } }),
    }),
  )

const changes = fc.oneof(
  fc.record({ what: fc.constant('node' as const), node: nodes }),
  fc.record({ what: fc.constant('gone' as const), name: fc.constantFrom('n0', 'n1', 'n2', 'n3', 'n4') }),
  fc.record({ what: fc.constant('leave' as const), nth: fc.nat(30) }),
  fc.record({ what: fc.constant('pod' as const), template: fc.nat(2), tolerates: fc.nat(1), onto: fc.nat(4) }),
)

/** What filters and scores say of every node for a pod. */
function opinion(cache: SchedulerCache, incoming: Pod, plugins: ReturnType<typeof defaultPlugins>, local?: NodeLocal) {
  const info = podInfo(incoming)
  const verdicts = local?.of(info)
  const { filters } = preFilter(plugins, info, cache, verdicts)
  const said = cache.nodes.map((each) => runFilters(filters, info, each))
  const feasible = cache.nodes.filter((_, i) => !said[i])
  return { said, totals: [...scoreNodes(plugins, info, feasible, cache, { verdicts })] }
}

it('what is remembered of nodes is what would be found anew, whatever happens to them', () => {
  fc.assert(
    fc.property(
      fc.array(nodes, { minLength: 2, maxLength: 5 }),
      fc.array(changes, { maxLength: 40 }),
      (first, then) => {
        const cache = new SchedulerCache()
        const kept = defaultPlugins(listers)
        const local = new NodeLocal(kept)
        const known = new Map<string, Node>()
        const setNode = (each: Node) => {
          known.set(each.metadata.name, each)
          cache.setNode(each)
        }
        for (const each of first) setNode(each)
        for (const [i, change] of then.entries()) {
          if (change.what === 'node') setNode(change.node)
          else if (change.what === 'gone') {
            const gone = known.get(change.name)
            if (gone) cache.removeNode(gone)
          } else if (change.what === 'leave') cache.forget(`uid-p${change.nth}`)
          else if (cache.nodes.length > 0) {
            const template = templates[change.template]!
            const tolerates = tolerations[change.tolerates]
            const name = `p${i}`
            const metadata = { ...template.metadata, name, uid: `uid-${name}` }
            const incoming = {
              ...template,
              metadata,
              spec: { ...template.spec, ...(tolerates && { tolerations: tolerates }) },
            }
            expect(opinion(cache, incoming, kept, local)).toEqual(opinion(cache, incoming, defaultPlugins(listers)))
            cache.assume(podInfo(incoming), cache.nodes[change.onto % cache.nodes.length]!.name)
          }
        }
      },
    ),
    { numRuns: 200 },
  )
})
