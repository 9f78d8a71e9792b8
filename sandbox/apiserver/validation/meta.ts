import type * as o from '../../kube/objects.ts'
import { type Causes, forbidden, immutable, invalids, invalidValue, required, sortedMap } from './field.ts'
import { asPrefix, dns1123Label, labelValue, qualifiedName } from './names.ts'

type NameRule = (name: string) => string[]

/** Built-in kinds want finalizers with a domain; custom resources take any. */
type FinalizerRule = 'qualified' | 'any'

const ANNOTATIONS_MAX_BYTES = 256 * 1024

/** Metadata at creation. Follows k8s.io/apimachinery/pkg/api/validation/objectmeta.go ValidateObjectMeta. */
export function objectMeta(meta: o.ObjectMeta, rule: NameRule, finalizerRule: FinalizerRule = 'qualified'): Causes {
  const { generateName, name, namespace } = meta
  const causes: Causes = []
  if (generateName) add(causes, 'metadata.generateName', generateName, rule(asPrefix(generateName)))
  if (name) add(causes, 'metadata.name', name, rule(name))
  else causes.push(required('metadata.name', 'name or generateName is required'))
  if (namespace !== undefined) add(causes, 'metadata.namespace', namespace, dns1123Label(namespace))
  addChangeable(causes, meta, undefined, finalizerRule)
  return causes
}

/** Metadata after an update. Follows ValidateObjectMetaUpdate. */
export function objectMetaUpdate(
  meta: o.ObjectMeta,
  before: o.ObjectMeta,
  finalizerRule: FinalizerRule = 'qualified',
): Causes {
  if (meta === before) return []
  const causes: Causes = []
  const added = before.deletionTimestamp
    ? (meta.finalizers ?? []).filter((name) => !(before.finalizers ?? []).includes(name))
    : []
  if (added.length > 0)
    causes.push(
      forbidden(
        'metadata.finalizers',
        `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added
          .sort()
          .map((name) => JSON.stringify(name))
          .join(', ')}}`,
      ),
    )
  for (const field of ['name', 'namespace', 'uid'] as const)
    if (meta[field] !== before[field]) causes.push(...immutable(false, meta[field], `metadata.${field}`))
  addChangeable(causes, meta, before, finalizerRule)
  return causes
}

function addChangeable(
  causes: Causes,
  meta: o.ObjectMeta,
  before: o.ObjectMeta | undefined,
  finalizerRule: FinalizerRule,
): void {
  const fresh = (field: keyof o.ObjectMeta) => meta[field] !== undefined && meta[field] !== before?.[field]
  if (fresh('labels')) causes.push(...labels(meta.labels, 'metadata.labels'))
  if (fresh('annotations')) causes.push(...annotations(meta.annotations, 'metadata.annotations'))
  if (fresh('ownerReferences')) causes.push(...ownerReferences(meta.ownerReferences!, 'metadata.ownerReferences'))
  if (fresh('finalizers')) causes.push(...finalizers(meta.finalizers!, finalizerRule, 'metadata.finalizers'))
}

/** One cause for each message. */
function add(causes: Causes, path: string, value: unknown, messages: readonly string[]): void {
  for (const message of messages) causes.push(invalidValue(path, value, message))
}

/** Labels found sound: the objects of one template share theirs. */
const sound = new WeakSet<object>()

export function labels(given: Record<string, string> | undefined, path: string): Causes {
  if (!given || sound.has(given)) return []
  const causes: Causes = []
  for (const [key, value] of Object.entries(given)) {
    add(causes, path, key, qualifiedName(key))
    add(causes, path, value, labelValue(String(value)))
  }
  if (causes.length === 0 && Object.isFrozen(given)) sound.add(given)
  return causes
}

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
