import type * as o from '../../kube/objects.ts'
import { type Causes, invalids, invalidValue, required } from './field.ts'
import { labelKeys } from './label-keys.ts'
import { labelSelector, setOperator } from './meta.ts'
import { dns1123Label, qualifiedName } from './names.ts'

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

/** Follows pkg/apis/core/validation/validation.go validateAffinity. */
export function affinity(given: o.Affinity | undefined, path: string): Causes {
  if (!given) return []
  return [
    ...nodeAffinity(given.nodeAffinity, `${path}.nodeAffinity`),
    ...podAffinity(given.podAffinity, `${path}.podAffinity`),
    ...podAffinity(given.podAntiAffinity, `${path}.podAntiAffinity`),
  ]
}

function nodeAffinity(given: o.Affinity['nodeAffinity'], path: string): Causes {
  if (!given) return []
  const terms = given[REQUIRED]?.nodeSelectorTerms
  const at = `${path}.${REQUIRED}.nodeSelectorTerms`
  return [
    ...(given[REQUIRED] && !terms?.length ? [required(at, 'must have at least one node selector term')] : []),
    ...(terms ?? []).flatMap((term, i) => nodeSelectorTerm(term, `${at}[${i}]`)),
    ...(given[PREFERRED] ?? []).flatMap(({ weight, preference }, i) => [
      ...weights(weight, `${path}.${PREFERRED}[${i}].weight`),
      ...nodeSelectorTerm(preference, `${path}.${PREFERRED}[${i}].preference`),
    ]),
  ]
}

const weights = (weight: number, path: string): Causes =>
  weight >= 1 && weight <= 100 ? [] : [invalidValue(path, weight, 'must be in the range 1-100')]

const nodeSelectorTerm = (term: o.NodeSelectorTerm, path: string): Causes => [
  ...(term.matchExpressions ?? []).flatMap((item, i) => requirement(item, `${path}.matchExpressions[${i}]`)),
  ...(term.matchFields ?? []).flatMap((item, i) => fieldRequirement(item, `${path}.matchFields[${i}]`)),
]

function requirement({ key, operator, values = [] }: o.NodeSelectorRequirement, path: string): Causes {
  const causes = setOperator(operator, values, path) ?? comparison(operator, values, path)
  return [...causes, ...invalids(`${path}.key`, key ?? '', qualifiedName(key ?? ''))]
}

function comparison(operator: string, values: readonly string[], path: string): Causes {
  if (operator !== 'Gt' && operator !== 'Lt')
    return [invalidValue(`${path}.operator`, operator ?? '', 'not a valid selector operator')]
  return values.length === 1
    ? []
    : [required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")]
}

function fieldRequirement({ key, operator, values = [] }: o.NodeSelectorRequirement, path: string): Causes {
  const causes: Causes = []
  if (operator !== 'In' && operator !== 'NotIn')
    causes.push(invalidValue(`${path}.operator`, operator ?? '', 'not a valid selector operator'))
  else if (values.length !== 1)
    causes.push(
      required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
    )
  if (key !== 'metadata.name') causes.push(invalidValue(`${path}.key`, key ?? '', 'not a valid field selector key'))
  return causes
}

function podAffinity(given: o.Affinity['podAffinity'], path: string): Causes {
  if (!given) return []
  return [
    ...(given[REQUIRED] ?? []).flatMap((item, i) => term(item, `${path}.${REQUIRED}[${i}]`)),
    ...(given[PREFERRED] ?? []).flatMap(({ weight, podAffinityTerm }, i) => [
      ...weights(weight, `${path}.${PREFERRED}[${i}].weight`),
      ...term(podAffinityTerm, `${path}.${PREFERRED}[${i}].podAffinityTerm`),
    ]),
  ]
}

const term = (given: o.PodAffinityTerm, path: string): Causes => [
  ...labelSelector(given.labelSelector, `${path}.labelSelector`),
  ...labelSelector(given.namespaceSelector, `${path}.namespaceSelector`),
  ...(given.namespaces ?? []).flatMap((name) => invalids(`${path}.namespace`, name, dns1123Label(name))),
  ...labelKeys(given, path),
  ...(given.topologyKey
    ? invalids(`${path}.topologyKey`, given.topologyKey, qualifiedName(given.topologyKey))
    : [required(`${path}.topologyKey`, 'can not be empty'), ...invalids(`${path}.topologyKey`, '', qualifiedName(''))]),
]
