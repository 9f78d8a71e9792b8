import { keyOf, Pod } from '../kube/kinds.ts'
import type { Index, Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { selects } from '../kube/selects.ts'
import type { Task } from '../world/actor.ts'
import type { Us } from '../world/time.ts'
import { cordon } from './cordon.ts'
import { type DrainFlags, type Selection, selectPods } from './drain-filters.ts'
import { sendAway } from './send-away.ts'
import { time } from './time.ts'

/** The flags of `kubectl drain`. */
export interface DrainOptions extends DrainFlags {
  /** Negative or left out: each pod's own. */
  readonly gracePeriodSeconds?: number
  /** How long in all; 0 or left out: without end. */
  readonly timeout?: Us
  readonly podSelector?: o.LabelSelector
  /** Deletes pods instead: disruption budgets do not count. */
  readonly disableEviction?: boolean
  /** Hears each line as kubectl prints it. */
  readonly onLine?: (line: DrainLine) => void
}

/** A line of output and when it came. */
export interface DrainLine {
  readonly at: Us
  readonly stream: 'out' | 'err'
  readonly text: string
}

export interface DrainResult {
  /** Whether every pod that was to go has gone. */
  readonly drained: boolean
  readonly cordoned: boolean
  /** Keys of the pods that went. */
  readonly gone: readonly string[]
  /** Keys of the pods that were still to go when it ended. */
  readonly pending: readonly string[]
  readonly errors: readonly string[]
  /** What kubectl would have printed. */
  readonly lines: readonly DrainLine[]
}

const podsByNode: Index<o.Pod> = {
  kind: Pod,
  name: 'node',
  values: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []),
}

/**
 * `kubectl drain`: cordons a node, then evicts its pods and waits until they are gone, asking again every 5 s where a
 * disruption budget does not allow it. Which pods there are is read from the Kube's cache; all else is asked live. Fails with an
 * `ApiError` when the node cannot be cordoned. Follows k8s.io/kubectl/pkg/drain and pkg/cmd/drain/drain.go.
 */
export function* drain(kube: Kube, node: string, options: DrainOptions = {}): Task<DrainResult> {
  const lines: DrainLine[] = []
  const say = function* (stream: DrainLine['stream'], text: string): Task {
    const line = { at: yield* time(), stream, text }
    lines.push(line)
    options.onLine?.(line)
  }
  const cordoned = yield* cordon(kube, node)
  yield* say('out', `node/${node} ${cordoned ? 'cordoned' : 'already cordoned'}`)
  const selection = yield* candidates(kube, node, options)
  const gone: string[] = []
  let errors: readonly string[] = selection.problems
  if (errors.length === 0) {
    if (selection.warnings.length > 0) yield* say('err', `Warning: ${selection.warnings.join('; ')}`)
    errors = yield* sendAway(kube, selection.pods, { ...options, say, gone })
  }
  if (errors.length === 0) yield* say('out', `node/${node} drained`)
  const pending = errors.length === 0 ? [] : (yield* candidates(kube, node, options)).pods
  if (errors.length > 0) yield* sayWhy(node, errors, selection.problems.length === 0 ? pending : [], say)
  return { drained: errors.length === 0, cordoned, gone, pending: pending.map(keyOf), errors, lines }
}

export type Say = (stream: DrainLine['stream'], text: string) => Task

function* candidates(kube: Kube, node: string, options: DrainOptions): Task<Selection> {
  const { podSelector } = options
  const pods = kube
    .indexed(podsByNode, node)
    .filter(({ metadata }) => !podSelector || selects(podSelector, metadata.labels))
  return yield* selectPods(kube, pods, options, yield* time())
}

function* sayWhy(node: string, errors: readonly string[], pending: readonly o.Pod[], say: Say): Task {
  const text = errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`
  if (pending.length > 0) {
    yield* say('err', `There are pending pods in node "${node}" when an error occurred: ${text}`)
    for (const { metadata } of pending) yield* say('err', `pod/${metadata.name}`)
  }
  yield* say('err', `error: unable to drain node "${node}" due to error: ${text}, continuing command...`)
  yield* say('err', 'There are pending nodes to be drained:')
  yield* say('err', ` ${node}`)
  for (const error of errors) yield* say('err', error)
}
