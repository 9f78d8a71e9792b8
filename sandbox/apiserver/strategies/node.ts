import type * as o from '../../kube/objects.ts'
import type { Strategy } from '../strategy.ts'
import { oneOf } from '../validation/containers.ts'
import { type Causes, duplicate, forbidden, invalids } from '../validation/field.ts'
import { objectMeta, objectMetaUpdate } from '../validation/meta.ts'
import { dns1123Subdomain, labelValue, qualifiedName } from '../validation/names.ts'
import { quantityOf } from '../validation/resources.ts'
import { canonicalQuantities, fill, within } from './fill.ts'

/** A node's allocatable is its capacity when nobody says otherwise. Follows pkg/apis/core/v1/defaults.go SetDefaults_NodeStatus. */
const defaultNode = (node: o.Node): o.Node =>
  within(fill(node, { spec: {}, status: {} as o.Node['status'] }), 'status', (status) => {
    const capacity = canonicalQuantities(status.capacity ?? {})
    return { ...status, capacity, allocatable: canonicalQuantities(status.allocatable ?? capacity) }
  })

/** Follows pkg/registry/core/node/strategy.go: status may be sent at creation. */
export const nodeStrategy: Strategy<o.Node> = {
  hasStatus: true,
  statusOnCreate: true,
  hasGeneration: false,
  default: defaultNode,
  admit: notReadyAtFirst,
  prepareForStatusUpdate: defaultNode,
  validate: (node) => [
    ...objectMeta(node.metadata, dns1123Subdomain),
    ...taints(node.spec.taints ?? []),
    ...amounts(node),
  ],
  validateUpdate: (node, before) => [
    ...objectMetaUpdate(node.metadata, before.metadata),
    ...taints(node.spec.taints ?? []),
    ...(before.spec.providerID && before.spec.providerID !== node.spec.providerID
      ? [forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid')]
      : []),
  ],
  validateStatusUpdate: (node, before) => [...objectMetaUpdate(node.metadata, before.metadata), ...amounts(node)],
}

const NOT_READY: o.Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

/** No pod comes to a new node before the node lifecycle controller has seen it Ready. Follows plugin/pkg/admission/nodetaint/admission.go. */
function notReadyAtFirst(node: o.Node): o.Node {
  const taints = node.spec.taints ?? []
  if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return node
  return { ...node, spec: { ...node.spec, taints: [...taints, NOT_READY] } }
}

const amounts = ({ status }: o.Node): Causes =>
  (['capacity', 'allocatable'] as const).flatMap((list) =>
    Object.entries(status[list]).flatMap(([name, text]) => quantityOf(name, text, `status.${list}.${name}`)),
  )

/** Follows pkg/apis/core/validation/validation.go validateNodeTaints. */
function taints(list: readonly o.Taint[]): Causes {
  const seen = new Set<string>()
  return list.flatMap(({ key, value = '', effect }, i) => {
    const at = `metadata.taints[${i}]`
    const once = `${key}:${effect}`
    const twice = seen.has(once)
    seen.add(once)
    return [
      ...invalids(`${at}.key`, key, qualifiedName(key)),
      ...(labelValue(value).length > 0 ? invalids(`${at}.value`, value, [labelValue(value).join(';')]) : []),
      ...oneOf(effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${at}.effect`),
      ...(twice ? [`${duplicate(`${at}`, { key, value, effect })}: taints must be unique by key and effect pair`] : []),
    ]
  })
}
