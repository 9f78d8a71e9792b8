import { keyOf, Pod } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { isAvailable, isReady } from '../../kube/pods.ts'
import type { Task } from '../../world/actor.ts'
import { minutes, seconds } from '../../world/time.ts'
import { controllerRef } from '../claim.ts'
import { deletePod, generateNameOf, reportCreation } from '../pod-control.ts'
import { requestAll, slowStart } from '../slow-start.ts'
import { allowsSurge, GENERATION, HASH, type Pass, POD_GENERATION } from './pass.ts'
import { daemonTolerations, judgeNode, onNode } from './placement.ts'

/** Pods made or deleted in one pass, at most. */
const BURST = 250

/** When failed pods were last deleted, by set and node, and how long the next waits. One a controller. */
export type FailureBackoff = Map<string, { at: number; delay: number }>

/** Gives each node that should have one its pod, and takes the others away. Follows manage in daemon_controller.go. */
export function* manageNodes(pass: Pass, backoff: FailureBackoff): Task {
  const create: string[] = []
  const doomed: o.Pod[] = []
  const known = new Set(pass.nodes.map(({ metadata }) => metadata.name))
  for (const node of pass.nodes) lookAt(pass, node, backoff, create, doomed)
  // pods for nodes that are gone, not bound yet
  for (const [name, pods] of pass.byNode)
    if (!known.has(name)) doomed.push(...pods.filter((pod) => !pod.spec.nodeName && !pod.metadata.deletionTimestamp))
  yield* syncNodes(pass, doomed, create)
}

function lookAt(pass: Pass, node: o.Node, backoff: FailureBackoff, create: string[], doomed: o.Pod[]): void {
  const { set, byNode } = pass
  const { shouldRun, mayStay } = judgeNode(set, node)
  const pods = byNode.get(node.metadata.name)
  if (!mayStay) {
    if (pods) doomed.push(...pods.filter((pod) => !pod.metadata.deletionTimestamp))
    return
  }
  if (!pods) {
    if (shouldRun) create.push(node.metadata.name)
    return
  }
  const running: o.Pod[] = []
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp) continue
    if (pod.status.phase !== 'Failed' && pod.status.phase !== 'Succeeded') running.push(pod)
    else if (mayReplaceEnded(pass, pod, node, backoff)) doomed.push(pod)
  }
  if (!allowsSurge(set)) doomed.push(...running.slice(1))
  else if (running.length === 0) {
    if (shouldRun) create.push(node.metadata.name)
  } else doomed.push(...surplus(pass, running))
}

/** Of a surging set, one old and one new pod may be on a node, until the new one is available. */
function surplus(pass: Pass, running: readonly o.Pod[]): o.Pod[] {
  const { hash, set, now } = pass
  const isNew = (pod: o.Pod) => pod.metadata.labels?.[HASH] === hash
  const [young, old] = [running.find(isNew), running.find((pod) => !isNew(pod))]
  const doomed = running.filter((pod) => pod !== young && pod !== old)
  if (young && old && (!isReady(old) || isAvailable(young, set.spec.minReadySeconds ?? 0, now))) doomed.push(old)
  return doomed
}

const FIRST_BACKOFF = seconds(1)
const LONGEST_BACKOFF = minutes(15)

/** An ended pod makes room for another; failed ones with growing pauses. */
function mayReplaceEnded({ set, context, now, key }: Pass, pod: o.Pod, node: o.Node, backoff: FailureBackoff): boolean {
  const { namespace, name } = pod.metadata
  const where = `daemon pod ${namespace}/${name} on node ${node.metadata.name}, will try to`
  if (pod.status.phase === 'Succeeded') {
    context.kube.event(set, 'Normal', 'SucceededDaemonPod', `Found succeeded ${where} delete it`)
    return true
  }
  const about = `${set.metadata.uid}/${set.status.observedGeneration ?? 0}/${node.metadata.name}`
  const known = backoff.get(about)
  if (known && now - known.at < known.delay) {
    context.queue.addAfter(key, known.delay)
    return false
  }
  const forgotten = !known || now - known.at > 2 * LONGEST_BACKOFF
  backoff.set(about, { at: now, delay: forgotten ? FIRST_BACKOFF : Math.min(known.delay * 2, LONGEST_BACKOFF) })
  context.kube.event(set, 'Warning', 'FailedDaemonPod', `Found failed ${where} kill it`)
  return true
}

/** Makes and deletes, at most so many of each. Follows syncNodes. Throws the first failure after all was tried. */
export function* syncNodes(pass: Pass, allDoomed: readonly o.Pod[], allNodes: readonly string[]): Task {
  const { set, key, context } = pass
  const { kube, expectations, consistency } = context
  const nodes = allNodes.slice(0, BURST)
  const doomed = allDoomed.slice(0, BURST)
  if (nodes.length + doomed.length === 0) return
  expectations.expect(key, { creations: nodes.length, deletions: doomed.map(keyOf) })
  let next = 0
  const { done, error } = yield* slowStart(nodes.length, function* () {
    const draft = podFor(pass, nodes[next++]!)
    const pod = yield* reportCreation(kube, set, kube.create(Pod, draft))
    consistency.wrote({ key, uid: set.metadata.uid }, Pod, pod)
  })
  for (let i = done; i < nodes.length; i++) expectations.creationObserved(key)
  const errors = yield* requestAll(doomed.map((pod) => () => deletePod(kube, set, pod)))
  for (const [i, pod] of doomed.entries()) if (errors[i]) expectations.deletionObserved(key, keyOf(pod))
  const failure = error ?? errors.find((one) => one && one.reason !== 'NotFound')
  if (failure) throw failure
}

/** A pod that only the one node can take; the scheduler puts it there. */
function podFor({ set, hash }: Pass, nodeName: string): o.Draft<o.Pod> {
  const { metadata, spec } = set.spec.template
  const generation = set.metadata.annotations?.[GENERATION]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: generateNameOf(set.metadata.name),
      namespace: set.metadata.namespace,
      labels: { ...metadata.labels, [HASH]: hash, ...(generation ? { [POD_GENERATION]: generation } : {}) },
      annotations: metadata.annotations,
      ownerReferences: [controllerRef(set)],
    },
    spec: { ...spec, affinity: onNode(spec.affinity, nodeName), tolerations: daemonTolerations(spec) },
  }
}
