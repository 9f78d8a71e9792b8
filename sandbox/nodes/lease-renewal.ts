import { ApiError, isApiError } from '../kube/errors.ts'
import { keyOf, Lease } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { sleep, type Task } from '../world/actor.ts'
import type { RandomStream } from '../world/random.ts'
import { leasePeriod } from './timings.ts'

export interface LeaseRenewal {
  readonly kube: Kube
  /** Its stream of jitter. */
  readonly random: RandomStream
  /** As it was written first. */
  readonly lease: o.Lease
  /** What it says now. */
  spec(): o.Lease['spec']
}

/**
 * Renews a kubelet's Lease every ten seconds, by what it wrote last; after a failure by what the server holds, or anew when that is
 * nothing. What fails then is tried again in ten seconds. Follows k8s.io/component-helpers/apimachinery/lease/controller.go.
 */
export function* renewLease(renewal: LeaseRenewal): Task {
  const { random } = renewal
  let latest: o.Lease | undefined = renewal.lease
  for (;;) {
    yield* sleep(leasePeriod(random))
    latest = yield* renewed(renewal, latest)
  }
}

/** Undefined when the server cannot be asked. */
function* renewed({ kube, lease, spec }: LeaseRenewal, latest: o.Lease | undefined): Task<o.Lease | undefined> {
  if (latest) {
    try {
      return yield* kube.update(Lease, { ...latest, spec: spec() })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }
  try {
    const held = yield* kube.read(Lease, keyOf(lease))
    return yield* kube.update(Lease, { ...held, spec: spec() })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return isApiError(error, 'NotFound') ? yield* madeAnew(kube, lease, spec()) : undefined
  }
}

function* madeAnew(kube: Kube, { metadata }: o.Lease, spec: o.Lease['spec']): Task<o.Lease | undefined> {
  const { name, namespace } = metadata
  try {
    return yield* kube.create(Lease, { ...LEASE, metadata: { name, ...(namespace && { namespace }) }, spec })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return undefined
  }
}

const LEASE = { apiVersion: Lease.apiVersion, kind: 'Lease' } as const
