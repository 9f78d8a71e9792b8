import { Deployment, Pod, ResourceQuota } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { isFinished } from '../../../sandbox/kube/pods.ts'
import { fromRfc3339, seconds, type Us } from '../../../sandbox/world/time.ts'
import type { Change, ObjectsView } from '../../objects-view.ts'
import type { Violations } from '../violation.ts'
import { amountOf, plus, requestsOf } from './requests.ts'

/** The quota controller looks at everything anew every five minutes. */
const RESYNC: Us = seconds(330)
const TINY = 1e-6

/**
 * What quotas promise: nothing is let in beyond what a quota says is used, every pod is counted as it is let in, and what is said to be
 * used is not too little for longer than a resync. For as long it may be: the controller may give back what it saw go before it has
 * seen what came since, in upstream's too, and then more fits than should.
 */
export class QuotaRules {
  private readonly view: ObjectsView
  private readonly violations: Violations
  /** Since when a quota says less than is used, by its key and the resource's name. */
  private readonly behind = new Map<string, Us>()
  /** When the API server last counted something. */
  private readonly countedAt = new Map<string, Us>()

  constructor(view: ObjectsView, violations: Violations) {
    this.view = view
    this.violations = violations
  }

  take({ kind, key, before, after }: Change, at: Us, by: string): void {
    if (kind === ResourceQuota.id) {
      if (by === 'kube-apiserver') this.countedAt.set(key, at)
      if (after) this.compare(after as o.ResourceQuota, at, by === 'kube-apiserver')
    }
    if (before || !after || (kind !== Pod.id && kind !== Deployment.id)) return
    const namespace = after.metadata.namespace!
    for (const quota of this.view.list(ResourceQuota).filter((one) => one.metadata.namespace === namespace)) {
      this.compare(quota, at)
      if (kind === Pod.id && quota.spec.hard?.['pods'] && this.countedAt.get(keyOf(quota)) !== at)
        this.violations.add('quota-exceeded', `${key} was let in and ${keyOf(quota)} does not count it`)
    }
  }

  /** `admitted`: the API server has just let something in; the controller may well find that there is more than should be. */
  private compare(quota: o.ResourceQuota, at: Us, admitted = false): void {
    const { hard = {} } = quota.spec
    const used = this.used(quota.metadata.namespace!, at)
    for (const [name, limit] of Object.entries(hard)) {
      const said = quota.status.used?.[name]
      if (said === undefined) continue
      const what = `${keyOf(quota)}: ${used(name)} ${name} are used, ${said} are said to be, of ${limit}`
      if (admitted && amountOf(said) > amountOf(limit) + TINY) this.violations.add('quota-exceeded', what)
      const id = `${keyOf(quota)} ${name}`
      if (used(name) <= amountOf(said) + TINY) this.behind.delete(id)
      else if (at - (this.behind.get(id) ?? at) > RESYNC) this.violations.add('quota-stale', what)
      else if (!this.behind.has(id)) this.behind.set(id, at)
    }
  }

  private used(namespace: string, at: Us): (name: string) => number {
    const pods = this.view.list(Pod).filter((one) => one.metadata.namespace === namespace && counts(one, at))
    const asked = pods.map(requestsOf).reduce(plus, {})
    return (name) => {
      if (name === 'pods') return pods.length
      if (name === 'count/deployments.apps')
        return this.view.list(Deployment).filter((one) => one.metadata.namespace === namespace).length
      return asked[name.replace('requests.', '')] ?? 0
    }
  }
}

const keyOf = ({ metadata }: o.ResourceQuota): string => `${metadata.namespace}/${metadata.name}`

/** Pods that ended, or should have by now, use nothing of a quota. */
function counts(pod: o.Pod, now: Us): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata
  if (isFinished(pod)) return false
  return !deletionTimestamp || now <= fromRfc3339(deletionTimestamp) + seconds(deletionGracePeriodSeconds)
}
