import type * as o from '../../kube/objects.ts'
import { type Causes, forbidden, immutable, invalids, invalidValue, required, sortedMap } from './field.ts'
import { asPrefix, dns1123Label, labelValue, qualifiedName } from './names.ts'

type NameRule = (name: string) => string[]

/** Built-in kinds want finalizers with a domain; custom resources take any. */
type FinalizerRule = 'qualified' | 'any'

const ANNOTATIONS_MAX_BYTES = 256 * 1024

/** Metadata at creation. Follows k8s.io/apimachinery/pkg/api/validation/objectmeta.go ValidateObjectMeta. */
export function objectMeta(meta: o.ObjectMeta, rule: NameRule, finalizerRule: FinalizerRule = 'qualified'): Causes {
  return [
    ...(meta.generateName
      ? invalids('metadata.generateName', meta.generateName, rule(asPrefix(meta.generateName)))
      : []),
    ...(meta.name
      ? invalids('metadata.name', meta.name, rule(meta.name))
      : [required('metadata.name', 'name or generateName is required')]),
    ...(meta.namespace === undefined
      ? []
      : invalids('metadata.namespace', meta.namespace, dns1123Label(meta.namespace))),
    ...changeable(meta, undefined, finalizerRule),
  ]
}

/** Metadata after an update. Follows ValidateObjectMetaUpdate. */
export function objectMetaUpdate(
  meta: o.ObjectMeta,
  before: o.ObjectMeta,
  finalizerRule: FinalizerRule = 'qualified',
): Causes {
  const old = new Set(before.finalizers ?? [])
  const added = before.deletionTimestamp ? (meta.finalizers ?? []).filter((name) => !old.has(name)) : []
  return [
    ...(added.length > 0
      ? [
          forbidden(
            'metadata.finalizers',
            `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added
              .sort()
              .map((name) => JSON.stringify(name))
              .join(', ')}}`,
          ),
        ]
      : []),
    ...immutable(meta.name === before.name, meta.name, 'metadata.name'),
    ...immutable(meta.namespace === before.namespace, meta.namespace, 'metadata.namespace'),
    ...immutable(meta.uid === before.uid, meta.uid, 'metadata.uid'),
    ...changeable(meta, before, finalizerRule),
  ]
}

function changeable(meta: o.ObjectMeta, before: o.ObjectMeta | undefined, finalizerRule: FinalizerRule): Causes {
  const same = (field: keyof o.ObjectMeta) => before !== undefined && before[field] === meta[field]
  return [
    ...(same('labels') ? [] : labels(meta.labels, 'metadata.labels')),
    ...(same('annotations') ? [] : annotations(meta.annotations, 'metadata.annotations')),
    ...(same('ownerReferences') ? [] : ownerReferences(meta.ownerReferences ?? [], 'metadata.ownerReferences')),
    ...(same('finalizers') ? [] : finalizers(meta.finalizers ?? [], finalizerRule, 'metadata.finalizers')),
  ]
}

export const labels = (given: Record<string, string> | undefined, path: string): Causes =>
  Object.entries(given ?? {}).flatMap(([key, value]) => [
    ...invalids(path, key, qualifiedName(key)),
    ...invalids(path, value, labelValue(String(value))),
  ])

export function annotations(given: Record<string, string> | undefined, path: string): Causes {
  const entries = Object.entries(given ?? {})
  const bytes = entries.reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)),
    0,
  )
  return [
    ...entries.flatMap(([key]) => invalids(path, key, qualifiedName(key.toLowerCase()))),
    ...(bytes > ANNOTATIONS_MAX_BYTES
      ? [`${path}: Too long: may not be more than ${ANNOTATIONS_MAX_BYTES} bytes`]
      : []),
  ]
}

function ownerReferences(references: readonly o.OwnerReference[], path: string): Causes {
  const causes: Causes = []
  let controller = ''
  for (const reference of references) {
    const { apiVersion, kind, name, uid } = reference
    if (!apiVersion) causes.push(invalidValue(`${path}.apiVersion`, apiVersion ?? '', 'version must not be empty'))
    for (const [field, value] of Object.entries({ kind, name, uid }))
      if (!value) causes.push(invalidValue(`${path}.${field}`, value ?? '', 'must not be empty'))
    if (!reference.controller) continue
    const current = `${kind}/${name}`
    if (controller)
      causes.push(
        invalidValue(
          path,
          references,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`,
        ),
      )
    else controller = current
  }
  return causes
}

const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion']

function finalizers(names: readonly string[], rule: FinalizerRule, path: string): Causes {
  const both = names.includes('orphan') && names.includes('foregroundDeletion')
  return [
    ...names.flatMap((name) => invalids(path, name, qualifiedName(name))),
    ...names.flatMap((name, i) =>
      rule === 'any' || name.includes('/') || STANDARD_FINALIZERS.includes(name)
        ? []
        : [invalidValue(`${path}[${i}]`, name, 'name is neither a standard finalizer name nor is it fully qualified')],
    ),
    ...(both ? [invalidValue(path, names, 'finalizer orphan and foregroundDeletion cannot be both set')] : []),
  ]
}

/** Follows k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go ValidateLabelSelector. */
export function labelSelector(selector: o.LabelSelector | undefined, path: string): Causes {
  if (!selector) return []
  return [
    ...labels(selector.matchLabels, `${path}.matchLabels`),
    ...(selector.matchExpressions ?? []).flatMap((expression, i) =>
      requirement(expression, `${path}.matchExpressions[${i}]`),
    ),
  ]
}

/** How many values the operators of label and node selectors take; undefined for an operator they do not share. */
export function setOperator(operator: string | undefined, values: readonly string[], path: string): Causes | undefined {
  if (operator === 'In' || operator === 'NotIn')
    return values.length > 0 ? [] : [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
  if (operator === 'Exists' || operator === 'DoesNotExist')
    return values.length === 0
      ? []
      : [forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
  return undefined
}

function requirement({ key, operator, values = [] }: o.LabelSelectorRequirement, path: string): Causes {
  const causes = setOperator(operator, values, path) ?? [
    invalidValue(`${path}.operator`, operator ?? '', 'not a valid selector operator'),
  ]
  causes.push(...invalids(`${path}.key`, key ?? '', qualifiedName(key ?? '')))
  for (const [i, value] of values.entries()) causes.push(...invalids(`${path}.values[${i}]`, value, labelValue(value)))
  return causes
}

/** A selector as Go prints it. */
export const shownSelector = (selector: o.LabelSelector | undefined): object | undefined =>
  selector && shownParts(selector)

const shownParts = ({ matchLabels, matchExpressions }: o.LabelSelector): object => ({
  ...(matchLabels && Object.keys(matchLabels).length > 0 ? { matchLabels: sortedMap(matchLabels) } : {}),
  ...(matchExpressions?.length
    ? { matchExpressions: matchExpressions.map(({ key, operator, values }) => ({ key, operator, values })) }
    : {}),
})
