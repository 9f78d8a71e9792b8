import { Node, Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { condition, isReady } from '../../sandbox/kube/pods.ts'
import { sleep } from '../../sandbox/world/actor.ts'
import { formatDuration, parseDuration } from '../../sandbox/world/time.ts'
import { type Handler, noticesOf } from '../platform/roles/spot.ts'
import { aim, tellStruck } from './aim.ts'
import { type FaultContext, fault } from './fault.ts'

interface Params {
  /** How long before; `by provider`: two minutes on AWS, half a minute on GCP and Azure. */
  notice: string
}

/**
 * The cloud takes back the machine of the subject's first pod, after a notice. What the platform declares acts on it: a termination handler among
 * the manifests, or what managed nodes do by themselves. Lasts until the machine has gone. Seen when its Node is not Ready any more or gone.
 */
export const reclaimNode = fault<Params>({
  name: 'reclaimNode',
  lever: 'node.reclaim',
  sort: 'failure',
  describe: ({ notice }) =>
    `the cloud takes back the machine of a replica, ${/^\d/.test(notice) ? `${notice} after` : 'after'} its notice`,
  *inject({ notice }, context) {
    const { sandbox, setup } = context
    const target = aim(context)
    if (!target) return () => undefined
    const { node } = target
    const declared = noticesOf(setup)
    const noticeUs = /^\d/.test(notice) ? parseDuration(notice) : declared.noticeUs
    const handler = declared.handler && isThere(declared.handler, node, context) ? declared.handler : undefined
    tellStruck(
      context,
      'reclaimNode',
      { node },
      `${node}, where ${target.pod.metadata.name} runs, is taken back in ${formatDuration(noticeUs)}; ${handler ? `${HANDLED}${handler.name}` : unused(declared.handler)}`,
    )
    const undo = sandbox.levers['node.reclaim']!(node, noticeUs, handler?.handling)
    yield* sleep(noticeUs)
    return undo
  },
  visible() {
    const ready = new Set<string>()
    let lost = 0
    return {
      record(_record, change) {
        if (change?.kind !== Node.id) return
        if (change.after && condition(change.after as o.Node, 'Ready')?.status === 'True') ready.add(change.key)
        else if (ready.delete(change.key)) lost++
      },
      result: () => ({ samples: lost }),
    }
  },
})

const HANDLED = 'the notice is acted on by '
const unused = (handler: Handler | undefined): string =>
  `the notice is unused: ${handler ? `${handler.name} has no Ready pod that would see it` : 'no termination handler is declared'}`

/** A handler acts by its pods: one on the machine, or one anywhere that reads a queue. */
const isThere = ({ runs }: Handler, node: string, { sandbox }: FaultContext): boolean =>
  runs === undefined ||
  sandbox.kube
    .list(Pod)
    .some(
      (pod) =>
        isReady(pod) &&
        (!runs.onEachNode || pod.spec.nodeName === node) &&
        pod.spec.containers.some(({ image }) => image === runs.image),
    )

/** Who acts on the notice, from what was journalled of it. */
export const handlerIn = (text: string): string | undefined => text.split(HANDLED)[1]
