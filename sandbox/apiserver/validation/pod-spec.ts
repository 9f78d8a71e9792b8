import type * as o from '../../kube/objects.ts'
import { affinity } from './affinity.ts'
import { containers, initContainers, oneOf } from './containers.ts'
import { type Causes, duplicate, invalids, invalidValue, required } from './field.ts'
import { labelKeys } from './label-keys.ts'
import { labelSelector, labels } from './meta.ts'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from './names.ts'

const sound = new WeakSet<o.PodSpec>()

/**
 * The spec of a pod or template at `path`. A frozen spec found sound is not looked at again.
 * Follows pkg/apis/core/validation/validation.go ValidatePodSpec.
 */
export function podSpec(spec: o.PodSpec, path: string): Causes {
  if (sound.has(spec)) return []
  const causes = checked(spec, path)
  if (causes.length === 0 && Object.isFrozen(spec)) sound.add(spec)
  return causes
}

function checked(spec: o.PodSpec, path: string): Causes {
  const { list, names } = volumes(spec.volumes ?? [], `${path}.volumes`)
  const context = { volumes: names, graceSeconds: spec.terminationGracePeriodSeconds }
  const { activeDeadlineSeconds: deadline, priorityClassName, serviceAccountName, nodeName } = spec
  const named = (field: string, value: string | undefined, rule: (value: string) => string[]) =>
    value ? invalids(`${path}.${field}`, value, rule(value)) : []
  return [
    ...list,
    ...containers(spec.containers, context, `${path}.containers`),
    ...initContainers(spec.initContainers ?? [], spec.containers, context, `${path}.initContainers`),
    ...oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`),
    ...oneOf(spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], `${path}.dnsPolicy`),
    ...labels(spec.nodeSelector, `${path}.nodeSelector`),
    ...affinity(spec.affinity, `${path}.affinity`),
    ...schedulingGates(spec.schedulingGates ?? [], `${path}.schedulingGates`),
    ...topologySpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
    ...named('serviceAccountName', serviceAccountName, dns1123Subdomain),
    ...named('nodeName', nodeName, dns1123Subdomain),
    ...(deadline !== undefined && (deadline < 1 || deadline > MAX_INT32)
      ? [invalidValue(`${path}.activeDeadlineSeconds`, deadline, `must be between 1 and ${MAX_INT32}, inclusive`)]
      : []),
    ...named('hostname', spec.hostname, dns1123Label),
    ...named('subdomain', spec.subdomain, dns1123Label),
    ...tolerations(spec.tolerations ?? [], `${path}.tolerations`),
    ...named('priorityClassName', priorityClassName, dns1123Subdomain),
    ...named('runtimeClassName', spec.runtimeClassName, dns1123Subdomain),
    ...oneOf(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${path}.preemptionPolicy`),
  ]
}

const MAX_INT32 = 2147483647

function volumes(given: NonNullable<o.PodSpec['volumes']>, path: string): { list: Causes; names: Set<string> } {
  const names = new Set<string>()
  const list = given.flatMap((volume, i) => {
    const at = `${path}[${i}]`
    const { name, ...sources } = volume
    const kinds = Object.keys(sources).filter((kind) => sources[kind] !== undefined)
    const causes = kinds.slice(1).map((kind) => `${at}.${kind}: Forbidden: may not specify more than 1 volume type`)
    causes.push(...missingSource(sources, at))
    causes.push(...(name ? invalids(`${at}.name`, name, dns1123Label(name)) : [required(`${at}.name`)]))
    if (names.has(name)) causes.push(duplicate(`${at}.name`, name))
    if (causes.length === 0) names.add(name)
    return causes
  })
  return { list, names }
}

const SOURCE_NAMES = { configMap: 'name', secret: 'secretName', persistentVolumeClaim: 'claimName', hostPath: 'path' }

const missingSource = (sources: Record<string, unknown>, path: string): Causes =>
  Object.entries(SOURCE_NAMES).flatMap(([kind, field]) => {
    const source = sources[kind] as Record<string, unknown> | undefined
    return source && !source[field] ? [required(`${path}.${kind}.${field}`)] : []
  })

export function tolerations(list: readonly o.Toleration[], path: string): Causes {
  return list.flatMap(({ key, operator = '' as const, value = '', effect, tolerationSeconds }, i) => {
    const at = `${path}[${i}]`
    const causes = key ? invalids(`${at}.key`, key, qualifiedName(key)) : []
    const bad = (field: string, given: unknown, detail: string) =>
      causes.push(invalidValue(`${at}.${field}`, given, detail))
    if (!key && operator !== 'Exists')
      bad(
        'operator',
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      )
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      bad('effect', effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if (operator === 'Exists') {
      if (value) bad('operator', value, "value must be empty when `operator` is 'Exists'")
    } else if (operator === 'Equal' || operator === '') {
      const messages = labelValue(value)
      if (messages.length > 0) bad('operator', value, messages.join(';'))
    } else {
      const all = ['Lt', 'Gt'].includes(operator) ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists']
      causes.push(...oneOf(operator, all.slice(0, 2), `${at}.operator`))
    }
    if (effect) causes.push(...oneOf(effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${at}.effect`))
    return causes
  })
}

function schedulingGates(gates: readonly { name: string }[], path: string): Causes {
  const names = new Set<string>()
  return gates.flatMap(({ name }, i) => {
    const causes = invalids(`${path}[${i}]`, name, qualifiedName(name))
    if (names.has(name)) causes.push(duplicate(`${path}[${i}]`, name))
    names.add(name)
    return causes
  })
}

function topologySpread(list: readonly o.TopologySpreadConstraint[], path: string): Causes {
  return list.flatMap((constraint, i) => {
    const at = `${path}[${i}]`
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains, labelSelector: selector } = constraint
    const again = list
      .slice(i + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    return [
      ...(maxSkew > 0 ? [] : [invalidValue(`${at}.maxSkew`, maxSkew ?? 0, 'must be greater than zero')]),
      ...(topologyKey ? [] : [required(`${at}.topologyKey`, 'can not be empty')]),
      ...oneOf(whenUnsatisfiable ?? '', ['DoNotSchedule', 'ScheduleAnyway'], `${at}.whenUnsatisfiable`),
      ...(again ? [duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`)] : []),
      ...(minDomains !== undefined && minDomains <= 0
        ? [invalidValue(`${at}.minDomains`, minDomains, 'must be greater than zero')]
        : []),
      ...(minDomains !== undefined && whenUnsatisfiable !== 'DoNotSchedule'
        ? [
            invalidValue(
              `${at}.minDomains`,
              minDomains,
              `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
            ),
          ]
        : []),
      ...(['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const).flatMap((field) =>
        oneOf(constraint[field], ['Honor', 'Ignore'], `${at}.${field}`),
      ),
      ...labelKeys(constraint, at),
      ...labelSelector(selector, `${at}.labelSelector`),
    ]
  })
}
