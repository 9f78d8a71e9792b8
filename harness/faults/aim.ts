import { keyOf, Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isActive } from '../../sandbox/kube/pods.ts'
import { isOf } from '../subject.ts'
import type { FaultContext } from './fault.ts'

/** The replica a failure is aimed at, and where it runs. */
export interface Target {
  readonly pod: o.Pod
  readonly node: string
}

/** The subject's first pod by name that is on a node; undefined where there is none. */
export function aim({ sandbox, subject }: FaultContext): Target | undefined {
  const [pod] = sandbox.kube
    .list(Pod)
    .filter((one) => isOf(subject, one) && isActive(one) && one.spec.nodeName !== undefined)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  return pod && { pod, node: pod.spec.nodeName! }
}

/** What a failure strikes, as it journals it: the pods on a node, or one pod. */
export type Struck = { readonly node: string } | { readonly pod: string }

const BY = 'fault/'

/** Journals what was struck, for checks and people to read. */
export function tellStruck({ sandbox }: FaultContext, fault: string, struck: Struck, text: string): void {
  const about = 'node' in struck ? `Node ${struck.node}` : `Pod ${struck.pod}`
  sandbox.world.journal.append({ type: 'note', by: `${BY}${fault}`, about, text })
}

/** The node or pod of such a note. */
export function struckIn(record: { readonly by: string; readonly about: string }): Struck | undefined {
  if (!record.by.startsWith(BY)) return undefined
  const [sort, name] = record.about.split(' ', 2)
  return sort === 'Node' ? { node: name! } : sort === 'Pod' ? { pod: name! } : undefined
}

/** Whether a pod is among what was struck. */
export const isStruck = (struck: Struck, pod: o.Pod): boolean =>
  'node' in struck ? pod.spec.nodeName === struck.node : keyOf(pod) === struck.pod
