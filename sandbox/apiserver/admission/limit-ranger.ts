import { ApiError } from '../../kube/errors.ts'
import { type Kind, LimitRange, PersistentVolumeClaim, Pod } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { deepFreeze } from '../freeze.ts'
import type { StrategyContext } from '../strategy.ts'
import { claimBreaches, podBreaches } from './limit-breaches.ts'

/** The LimitRanges of a namespace, in the order of creation. */
export function limitRangesOf(namespace: string | undefined, context: StrategyContext): readonly o.LimitRange[] {
  if (!context.has(LimitRange)) return NONE
  return context.list(LimitRange).filter(({ metadata }) => metadata.namespace === namespace)
}

const NONE: readonly o.LimitRange[] = []

const ANNOTATION = 'kubernetes.io/limit-ranger'

/**
 * Gives containers the amounts they do not state. Near free for a spec that went through the same ranges before.
 * Follows plugin/pkg/admission/limitranger/admission.go PodMutateLimitFunc.
 */
export function withDefaultLimits(pod: o.Pod, ranges: readonly o.LimitRange[]): o.Pod {
  let out = pod
  for (const range of ranges) {
    const { spec, note } = completed(out.spec, range)
    if (!note) continue
    const annotations = { ...out.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${note}` }
    out = { ...out, metadata: { ...out.metadata, annotations }, spec }
  }
  return out
}

interface Completed {
  readonly spec: o.PodSpec
  readonly note: string
}

const known = new WeakMap<o.PodSpec, WeakMap<o.LimitRange, Completed>>()

function completed(spec: o.PodSpec, range: o.LimitRange): Completed {
  const before = known.get(spec)?.get(range)
  if (before) return before
  const notes: string[] = []
  const containers = spec.containers.map((container) => complete(container, range, 'container', notes))
  const initContainers = spec.initContainers?.map((container) => complete(container, range, 'init container', notes))
  const filled =
    notes.length === 0 ? spec : deepFreeze({ ...spec, containers, ...(initContainers && { initContainers }) })
  const made = { spec: filled, note: notes.join('; ') }
  if (Object.isFrozen(spec)) {
    const ranges = known.get(spec) ?? new WeakMap<o.LimitRange, Completed>()
    known.set(spec, ranges.set(range, made))
  }
  return made
}

function complete(container: o.Container, range: o.LimitRange, what: string, notes: string[]): o.Container {
  const { limits, requests } = container.resources ?? {}
  const limited = filled(limits, defaultsOf(range, 'default'))
  const requested = filled(requests, defaultsOf(range, 'defaultRequest'))
  if (requested.added.length > 0) notes.push(`${requested.added.join(', ')} request for ${what} ${container.name}`)
  if (limited.added.length > 0) notes.push(`${limited.added.join(', ')} limit for ${what} ${container.name}`)
  if (limited.added.length + requested.added.length === 0) return container
  return {
    ...container,
    resources: { ...container.resources, ...limited.list('limits'), ...requested.list('requests') },
  }
}

function filled(given: Record<string, string> | undefined, defaults: Readonly<Record<string, string>>) {
  const added = Object.keys(defaults)
    .filter((name) => given?.[name] === undefined)
    .sort()
  const all = { ...given, ...Object.fromEntries(added.map((name) => [name, defaults[name]!])) }
  return { added, list: (key: 'limits' | 'requests') => (Object.keys(all).length > 0 ? { [key]: all } : {}) }
}

/** Of several items the last counts. */
const defaultsOf = ({ spec }: o.LimitRange, list: 'default' | 'defaultRequest'): Record<string, string> =>
  Object.assign({}, ...spec.limits.filter(({ type }) => type === 'Container').map((item) => item[list]))

/** Refuses what a LimitRange of the namespace does not allow. Throws Forbidden. Follows PodValidateLimitFunc. */
export function checkLimits(kind: Kind, object: o.KubeObject, context: StrategyContext): void {
  if (kind.id !== Pod.id && kind.id !== PersistentVolumeClaim.id) return
  for (const range of limitRangesOf(object.metadata.namespace, context)) {
    const breaches =
      kind.id === Pod.id ? podBreaches(range, object as o.Pod) : claimBreaches(range, object as o.PersistentVolumeClaim)
    const distinct = [...new Set(breaches)]
    if (distinct.length === 0) continue
    const why = distinct.length === 1 ? distinct[0] : `[${distinct.join(', ')}]`
    throw new ApiError(403, 'Forbidden', `${kind.id} "${object.metadata.name}" is forbidden: ${why}`)
  }
}
