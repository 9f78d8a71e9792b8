import { ClusterTriggerAuthentication, Secret, TriggerAuthentication } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'

/** Where KEDA itself runs: secrets of a ClusterTriggerAuthentication are read there. */
export const KEDA_NAMESPACE = 'keda'

/**
 * What a trigger's authentication gives, by parameter. A TriggerAuthentication that is missing gives nothing; a Secret that is
 * missing is taken to be made elsewhere, with all its keys.
 */
// follows pkg/scaling/resolver/scale_resolvers.go resolveAuthRef
export function authenticationOf(
  { authenticationRef }: o.ScaleTrigger,
  namespace: string,
  kube: Pick<Kube, 'get'>,
): Record<string, string> {
  if (!authenticationRef?.name) return {}
  const { name } = authenticationRef
  const ofCluster = authenticationRef.kind === 'ClusterTriggerAuthentication'
  const found = ofCluster
    ? kube.get(ClusterTriggerAuthentication, name)
    : kube.get(TriggerAuthentication, `${namespace}/${name}`)
  const from = ofCluster ? KEDA_NAMESPACE : namespace
  return Object.fromEntries(
    (found?.spec?.secretTargetRef ?? []).map((ref) => [
      ref.parameter,
      secretValue(kube, `${from}/${ref.name}`, ref.key),
    ]),
  )
}

function secretValue(kube: Pick<Kube, 'get'>, secretKey: string, key: string): string {
  const secret = kube.get(Secret, secretKey)
  if (!secret) return 'made elsewhere'
  const { data, stringData } = secret as { data?: Record<string, string>; stringData?: Record<string, string> }
  return stringData?.[key] ?? data?.[key] ?? ''
}
