import type { Kind } from '../../../kube/kinds.ts'
import type { Condition, KubeObject } from '../../../kube/objects.ts'
import { EPOCH_MS, fromRfc3339 } from '../../../world/time.ts'

type Labels = Readonly<Record<string, string>>

/** A value with the labels it has besides those of its object; `undefined` values are left out. */
export type Value = readonly [labels: Labels, value: number | undefined]

/** One family of one kind: what each object contributes. */
export interface Generator<T extends KubeObject> {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  values(object: T, options: GeneratorOptions): readonly Value[]
}

export interface GeneratorOptions {
  /** `--metric-labels-allowlist`: labels shown, by kube-state-metrics' name of the kind; `*` for all. */
  readonly labels: Readonly<Record<string, readonly string[]>>
}

/** All families of a kind. `base` are the labels each of its samples has. */
export interface KindFamilies<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>
  /** As `--resources` and the allow lists name it. */
  readonly resource: string
  base(object: T): Labels
  readonly families: readonly Generator<T>[]
}

/** One value an object, without labels of its own. */
export const one = <T extends KubeObject>(
  name: string,
  help: string,
  of: (object: T) => number | undefined,
): Generator<T> => ({ name, help, type: 'gauge', values: (object) => [[{}, of(object)]] })

/** Several values an object. */
export const many = <T extends KubeObject>(
  name: string,
  help: string,
  values: Generator<T>['values'],
  type: Generator<T>['type'] = 'gauge',
): Generator<T> => ({ name, help, type, values })

export const flag = (value: boolean): number => (value ? 1 : 0)

/** Unix seconds of a time in an object. */
export function unixSeconds(time: string | undefined): number | undefined {
  return time === undefined ? undefined : EPOCH_MS / 1e3 + fromRfc3339(time) / 1e6
}

/** One value for each status a condition may have. Follows addConditionMetrics of internal/store/utils.go. */
export const conditionValues = (status: string, labels: Labels, label: string): Value[] =>
  ['true', 'false', 'unknown'].map((s) => [{ ...labels, [label]: s }, flag(status.toLowerCase() === s)])

/** Each condition of an object with each status. */
export const allConditions = (conditions: readonly Condition[] = []): Value[] =>
  conditions.flatMap(({ type, status }) => conditionValues(status, { condition: type }, 'status'))

export const owners = (object: KubeObject): Value[] => {
  const references = object.metadata.ownerReferences ?? []
  if (references.length === 0)
    return [[{ owner_kind: '<none>', owner_name: '<none>', owner_is_controller: '<none>' }, 1]]
  return references.map(({ kind, name, controller }) => [
    { owner_kind: kind, owner_name: name, owner_is_controller: String(controller === true) },
    1,
  ])
}

/** `kube_<kind>_labels`: the object's labels that an allow list names. Without a list there is no sample. */
export const labelsFamily = <T extends KubeObject>(kind: string, resource: string): Generator<T> =>
  many(`kube_${kind}_labels`, 'Kubernetes labels converted to Prometheus labels.', (object, options) => {
    const allowed = options.labels[resource] ?? options.labels['*'] ?? []
    if (allowed.length === 0) return []
    const shown = Object.entries(object.metadata.labels ?? {})
      .filter(([key]) => allowed.includes('*') || allowed.includes(key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return [[withoutConflicts(shown), 1]]
  })

/** Keys that become the same label name get suffixes. Follows mapToPrometheusLabels of internal/store/utils.go. */
function withoutConflicts(entries: readonly (readonly [string, string])[]): Labels {
  const names = entries.map(([key]) => `label_${snake(key)}`)
  const count = (name: string) => names.filter((n) => n === name).length
  return Object.fromEntries(
    entries.map(([, value], i) => {
      const name = names[i]!
      const before = names.slice(0, i).filter((n) => n === name).length
      return [count(name) > 1 ? `${name}_conflict${before + 1}` : name, value]
    }),
  )
}

export const snake = (name: string): string =>
  name
    .replace(/[^a-zA-Z0-9_]/g, '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()

export const created = <T extends KubeObject>(kind: string): Generator<T> =>
  one(`kube_${kind}_created`, 'Unix creation timestamp', (o) => unixSeconds(o.metadata.creationTimestamp))

export const generation = <T extends KubeObject>(kind: string, help: string): Generator<T> =>
  one(`kube_${kind}_metadata_generation`, help, (o) => o.metadata.generation)
