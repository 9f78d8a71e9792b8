import { ApiError } from '../../sandbox/kube/errors.ts'
import { Job, keyOf, Node, Pod, PodDisruptionBudget, PriorityClass } from '../../sandbox/kube/kinds.ts'
import type { Draft, Job as JobObject } from '../../sandbox/kube/objects.ts'
import { isActive } from '../../sandbox/kube/pods.ts'
import { uncordon } from '../../sandbox/kubectl/cordon.ts'
import { drain } from '../../sandbox/kubectl/drain.ts'
import { sleep, type Task } from '../../sandbox/world/actor.ts'
import { seconds, toSeconds } from '../../sandbox/world/time.ts'
import type { ObjectsView } from '../objects-view.ts'
import type { Hands } from './inject.ts'
import { budgetsFor } from './invariants/expected.ts'
import type { PlannedFault } from './platform.ts'

/** Drains several nodes at once, each by a kubectl of its own. Undone: the drains end where they are, and the nodes take pods again. */
export function drainNodes(fault: PlannedFault, hands: Hands, count: number): () => void {
  const { world, kube } = hands.sandbox
  const all = nodesOf(hands.view)
  const first = Math.floor(fault.which * all.length)
  const names = [...all.slice(first), ...all.slice(0, first)].slice(0, count)
  const flags = { force: true, ignoreDaemonSets: true, deleteEmptyDirData: true, timeout: fault.forUs }
  const actors = names.map((name) =>
    world.spawn(`kubectl/drain/${name}`, tolerant(drain(kube.client(`drain/${name}`), name, flags))),
  )
  hands.tally.drains += names.length
  return () => {
    for (const actor of actors) actor.stop()
    for (const name of names) ask(hands, uncordon(kube, name))
  }
}

/** Evicts all pods of one workload in one moment: the requests race with each other and with what controllers know. */
export function evictTogether({ which, strength }: PlannedFault, hands: Hands): undefined {
  const { kube } = hands.sandbox
  const pods = hands.view.list(Pod).filter(isActive)
  const budgeted = pods.filter((pod) => budgetsFor(hands.view, pod).length > 0)
  const candidates = budgeted.length > 0 && strength < 0.8 ? budgeted : pods
  const app = candidates[Math.floor(which * candidates.length)]?.metadata.labels?.['app']
  const racing = pods.filter(({ metadata }) => metadata.labels?.['app'] === app)
  for (const pod of racing) ask(hands, kube.client(`racer/${keyOf(pod)}`).evict(keyOf(pod)))
}

const URGENT = 'urgent'
const SOON = seconds(1)

/** Pods come that go before all others, and take much of some nodes for a while. */
export function preempt({ strength, forUs }: PlannedFault, hands: Hands): () => void {
  const { world, kube } = hands.sandbox
  const name = `urgent-${world.clock.now}`
  const resources = { requests: { cpu: strength < 0.3 ? '3' : '29' } }
  const command = ['sh', '-c', `sleep ${Math.ceil(toSeconds(forUs))}; exit 0`]
  const template = {
    metadata: { labels: { app: name } },
    spec: {
      priorityClassName: URGENT,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'work', image: 'busybox:1', command, resources }],
    },
  }
  const count = 1 + Math.floor(strength * 7)
  const job = { metadata: { name, namespace: 'default' }, spec: { completions: count, parallelism: count, template } }
  ask(hands, kube.create(PriorityClass, { metadata: { name: URGENT }, value: 100_000 } as never))
  ask(hands, later(kube.create(Job, job as unknown as Draft<JobObject>)))
  return () => ask(hands, kube.delete(Job, `default/${name}`, { propagationPolicy: 'Background' }))
}

/** After the class it needs. */
function* later(task: Task<unknown>): Task {
  yield* sleep(SOON)
  yield* task
}

const ALLOWANCES = [{ minAvailable: 1 }, { minAvailable: '100%' }, { maxUnavailable: 1 }, { maxUnavailable: '50%' }]

/** Somebody writes another number into a budget: until the controller has seen it, nothing may go. */
export function changeBudget(fault: PlannedFault, hands: Hands): undefined {
  const { which, strength } = fault
  const budgets = hands.view.list(PodDisruptionBudget)
  const budget = budgets[Math.floor(which * budgets.length)]
  if (!budget) return
  const allowance = ALLOWANCES[Math.floor(strength * ALLOWANCES.length)]
  const spec = { minAvailable: null, maxUnavailable: null, ...allowance }
  ask(hands, hands.sandbox.kube.patch(PodDisruptionBudget, keyOf(budget), { spec }))
  evictTogether(fault, hands)
}

/** Names of the nodes there are now. */
export const nodesOf = (view: ObjectsView): string[] => view.list(Node).map(({ metadata }) => metadata.name)

/** Asks the API server for something it may refuse. */
export const ask = ({ sandbox }: Pick<Hands, 'sandbox'>, task: Task<unknown>): void => {
  sandbox.world.spawn('kubectl', tolerant(task))
}

function* tolerant(task: Task<unknown>): Task {
  try {
    yield* task
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}
