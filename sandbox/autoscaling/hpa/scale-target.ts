import { CustomResourceDefinition, type Kind, kindOf, knownKind } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { CrossVersionObjectReference } from '../../kube/objects.ts'
import { ScalingError } from './scaling-error.ts'

/** No such kind, or an apiVersion that is none. */
export class TargetError extends ScalingError {
  /** What the controller's log says before the message. */
  readonly before: string

  constructor(before: string, message: string) {
    super(message)
    this.before = before
  }
}

/**
 * The kind that a reference means: found by group and name alone, whatever version it says. Custom resources are known by
 * their definitions. Throws a TargetError. Follows horizontal.go reconcileAutoscaler and its RESTMapper.
 */
export function targetKind(kube: Kube, { apiVersion = '', kind }: CrossVersionObjectReference): Kind {
  const parts = apiVersion.split('/')
  if (parts.length > 2)
    throw new TargetError(
      'invalid API version in scale target reference',
      `unexpected GroupVersion string: ${apiVersion}`,
    )
  const group = parts.length === 2 ? parts[0]! : ''
  const known = knownKind(group, kind) ?? definedKind(kube, group, kind)
  if (known) return known
  throw new TargetError(
    'unable to determine resource for scale target reference',
    `no matches for kind "${kind}" in group "${group}"`,
  )
}

interface Definition {
  group: string
  names: { kind: string }
  versions?: { name: string; served: boolean }[]
}

function definedKind(kube: Kube, group: string, kind: string): Kind | undefined {
  for (const definition of kube.list(CustomResourceDefinition)) {
    const spec = definition['spec'] as Definition
    if (spec.group !== group || spec.names.kind !== kind) continue
    const served = spec.versions?.find((version) => version.served)
    if (served) return kindOf({ apiVersion: `${group}/${served.name}`, kind })
  }
  return undefined
}
