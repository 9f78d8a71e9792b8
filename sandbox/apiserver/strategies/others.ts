import type * as o from '../../kube/objects.ts'
import { SYSTEM_PRIORITIES } from '../admission/priority.ts'
import type { Strategy } from '../strategy.ts'
import { forbidden, immutable, notSupported } from '../validation/field.ts'
import { objectMeta, objectMetaUpdate } from '../validation/meta.ts'
import { dns1123Label, dns1123Subdomain } from '../validation/names.ts'
import { each, fill, within } from './fill.ts'

/** Stored as sent. Names are DNS subdomains, but for RBAC's, which may be any path segment. */
export const plainKind = (rule: (name: string) => string[] = dns1123Subdomain): Strategy => ({
  default: (object) => object,
  hasStatus: false,
  hasGeneration: false,
  validate: (object) => objectMeta(object.metadata, rule),
  validateUpdate: (object, before) => objectMetaUpdate(object.metadata, before.metadata),
})

/** Follows k8s.io/apimachinery/pkg/api/validate/content/path.go IsPathSegmentName. */
export const pathSegment = (name: string): string[] => {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`)
}

/** Custom resources with the status subresource, as most operators' are: metadata and status do not count as generations. */
export const customResource: Strategy = {
  default: (object) => object,
  hasStatus: true,
  hasGeneration: true,
  validate: (object) => objectMeta(object.metadata, dns1123Subdomain, 'any'),
  validateUpdate: (object, before) => objectMetaUpdate(object.metadata, before.metadata, 'any'),
  validateStatusUpdate: (object, before) => objectMetaUpdate(object.metadata, before.metadata, 'any'),
}

/** Follows pkg/apis/core/v1/defaults.go SetDefaults_Namespace and pkg/registry/core/namespace/strategy.go. */
export const namespaceStrategy: Strategy<o.OtherObject> = {
  ...(plainKind(dns1123Label) as Strategy<o.OtherObject>),
  hasStatus: true,
  default: (namespace) => {
    const { labels, name } = namespace.metadata
    if (labels?.['kubernetes.io/metadata.name'] === name) return namespace
    return {
      ...namespace,
      metadata: { ...namespace.metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } },
    }
  },
  prepareForCreate: (namespace) => ({ ...namespace, status: { phase: 'Active' } }),
}

/** Values of users' classes are bounded; the system's are two that are known. Follows IsKnownSystemPriorityClass. */
function priorityClassValue({ metadata: { name }, value, globalDefault }: o.PriorityClass): string[] {
  if (!name.startsWith('system-'))
    return value > 1_000_000_000
      ? [forbidden('value', 'maximum allowed value of a user defined priority is 1000000000')]
      : []
  const known = SYSTEM_PRIORITIES[name]
  const why =
    known === undefined
      ? `${name} is not a known system priority class`
      : value !== known
        ? `value of ${name} PriorityClass must be ${known}`
        : globalDefault
          ? `globalDefault of ${name} PriorityClass must be false`
          : undefined
  if (why === undefined) return []
  const reserved = "priority class names with 'system-' prefix are reserved for system use only. error: "
  return [forbidden('metadata.name', `${reserved}${why}`)]
}

/** Follows pkg/apis/scheduling/v1/defaults.go and pkg/apis/scheduling/validation/validation.go. */
export const priorityClassStrategy: Strategy<o.PriorityClass> = {
  hasStatus: false,
  hasGeneration: true,
  default: (object) => fill(object, { preemptionPolicy: 'PreemptLowerPriority', value: 0 }),
  validate: (object) => [
    ...objectMeta(object.metadata, dns1123Subdomain),
    ...priorityClassValue(object),
    ...(['Never', 'PreemptLowerPriority'].includes(object.preemptionPolicy!)
      ? []
      : [notSupported('preemptionPolicy', object.preemptionPolicy, ['Never', 'PreemptLowerPriority'])]),
  ],
  validateUpdate: (object, before) => [
    ...objectMetaUpdate(object.metadata, before.metadata),
    ...(object.value === before.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...immutable(object.preemptionPolicy === before.preemptionPolicy, object.preemptionPolicy, 'preemptionPolicy'),
  ],
}

/** Follows pkg/apis/discovery/v1/defaults.go and pkg/registry/discovery/endpointslice/strategy.go. */
export const endpointSliceStrategy: Strategy<o.EndpointSlice> = {
  ...(plainKind() as Strategy<o.EndpointSlice>),
  hasGeneration: true,
  default: (slice) =>
    within(
      within(fill(slice, { endpoints: [], ports: [] }), 'endpoints', (endpoints) =>
        each(endpoints, (endpoint) => fill(endpoint, { conditions: {} })),
      ),
      'ports',
      (ports) => each(ports, (port) => fill(port, { name: '', protocol: 'TCP' })),
    ),
}
