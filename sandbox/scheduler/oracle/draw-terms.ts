import type * as o from '../../kube/objects.ts'
import type { Draw } from './draw.ts'

/** Random selectors, terms and constraints over few labels, so that they often meet. */

export const RACK = 'rack'
export const ZONE = 'topology.kubernetes.io/zone'
const HOSTNAME = 'kubernetes.io/hostname'
const KEYS = [HOSTNAME, ZONE, ZONE, RACK]

export const drawLabels = (draw: Draw): Record<string, string> => ({
  app: draw.pick(['a', 'b', 'c']),
  ...(draw.parts({ tier: [0.3, () => draw.pick(['x', 'y'])] }) as Record<string, string>),
})

export const drawSelector = (draw: Draw): o.LabelSelector =>
  draw.pick<() => o.LabelSelector>([
    () => ({ matchLabels: { app: draw.pick(['a', 'b', 'c']) } }),
    () => ({ matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }] }),
    () => ({ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] }),
    () => ({ matchLabels: { app: 'a' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] }),
    () => ({ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }),
    () => ({}),
  ])()

const requirement = (draw: Draw): o.NodeSelectorRequirement =>
  draw.pick<() => o.NodeSelectorRequirement>([
    () => ({ key: RACK, operator: 'In', values: draw.pick([['r1'], ['r1', 'r2']]) }),
    () => ({ key: RACK, operator: 'NotIn', values: draw.pick([['r1'], ['r2', 'r3']]) }),
    () => ({ key: 'gpu', operator: draw.pick(['Exists', 'DoesNotExist'] as const) }),
    () => ({ key: 'mem', operator: draw.pick(['Gt', 'Lt'] as const), values: [draw.pick(['40', '80', '60', '0'])] }),
    () => ({ key: 'mem', operator: draw.pick(['Gt', 'Lt'] as const), values: [draw.pick(['many', '007', '1e3'])] }),
    () => ({ key: ZONE, operator: 'In', values: [draw.pick(['z1', 'z2'])] }),
  ])()

/** A term of a node selector; sometimes an empty one, which matches nothing. */
export const drawNodeTerm = (draw: Draw): o.NodeSelectorTerm =>
  draw.parts({
    matchExpressions: [0.85, () => draw.list(draw.pick([1, 1, 2]), () => requirement(draw))],
    matchFields: [0.15, () => [field(draw)]],
  }) as o.NodeSelectorTerm

const field = (draw: Draw): o.NodeSelectorRequirement => ({
  key: 'metadata.name',
  operator: draw.pick(['In', 'In', 'NotIn'] as const),
  values: [`n${draw.from(0, 7)}`],
})

export const drawNodeAffinity = (draw: Draw): NonNullable<o.Affinity['nodeAffinity']> =>
  draw.parts({
    requiredDuringSchedulingIgnoredDuringExecution: [
      0.6,
      () => ({ nodeSelectorTerms: draw.list(draw.from(1, 2), () => drawNodeTerm(draw)) }),
    ],
    preferredDuringSchedulingIgnoredDuringExecution: [
      0.5,
      () => draw.list(draw.from(1, 3), () => ({ weight: draw.from(1, 100), preference: drawNodeTerm(draw) })),
    ],
  })

const podTerm = (draw: Draw): o.PodAffinityTerm =>
  ({
    topologyKey: draw.pick(KEYS),
    ...draw.parts({
      labelSelector: [0.97, () => drawSelector(draw)],
      namespaces: [0.2, () => draw.pick([['default'], ['other'], ['default', 'other']])],
      namespaceSelector: [
        0.15,
        () => draw.pick([{}, { matchLabels: { team: 'ml' } }, { matchLabels: { team: 'no' } }]),
      ],
      matchLabelKeys: [0.1, () => ['tier']],
      mismatchLabelKeys: [0.05, () => ['app']],
    }),
  }) as o.PodAffinityTerm

/** Affinity or anti-affinity to pods; each sort of term is there in about half of the cases. */
export const drawPodAffinity = (draw: Draw): NonNullable<o.Affinity['podAffinity']> =>
  draw.parts({
    requiredDuringSchedulingIgnoredDuringExecution: [0.5, () => draw.list(draw.pick([1, 1, 2]), () => podTerm(draw))],
    preferredDuringSchedulingIgnoredDuringExecution: [
      0.5,
      () => draw.list(draw.from(1, 2), () => ({ weight: draw.from(1, 100), podAffinityTerm: podTerm(draw) })),
    ],
  })

export const drawSpread = (draw: Draw): o.TopologySpreadConstraint[] => {
  const shift = draw.from(0, 2)
  return draw.list(draw.pick([1, 1, 2]), (i) => {
    const whenUnsatisfiable = draw.pick(['DoNotSchedule', 'ScheduleAnyway'] as const)
    return {
      maxSkew: draw.from(1, 3),
      topologyKey: [HOSTNAME, ZONE, RACK][(i + shift) % 3]!,
      whenUnsatisfiable,
      ...draw.parts({
        labelSelector: [0.97, () => drawSelector(draw)],
        minDomains: [whenUnsatisfiable === 'DoNotSchedule' ? 0.3 : 0, () => draw.from(1, 4)],
        nodeTaintsPolicy: [0.3, () => draw.pick(['Honor', 'Ignore'])],
        nodeAffinityPolicy: [0.3, () => draw.pick(['Honor', 'Ignore'])],
        matchLabelKeys: [0.2, () => ['tier']],
      }),
    } as o.TopologySpreadConstraint
  })
}

export const drawTolerations = (draw: Draw): o.Toleration[] =>
  draw.list(draw.pick([1, 1, 2]), () =>
    draw.pick<o.Toleration>([
      { operator: 'Exists' },
      { operator: 'Exists', effect: 'NoSchedule' },
      { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' },
      { key: 'gpu', value: 'yes' },
      { key: 'gpu', operator: 'Equal', value: 'no', effect: 'NoExecute' },
      { key: 'soft', operator: 'Exists', effect: 'PreferNoSchedule' },
      { key: 'soft', operator: 'Equal', value: '1' },
      { key: 'level', operator: 'Lt' as never, value: '5', effect: 'NoSchedule' },
      { key: 'level', operator: 'Gt' as never, value: '1', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/unschedulable', operator: 'Exists' },
    ]),
  )
