import { namespaceOf, type Platform, type PlatformObject } from '../platform.ts'
import { isMap } from './pod-templates.ts'

/** Who names whom: by `{ kind, name }` as `scaleTargetRef` and `backendRefs` do, and services also by host or `serviceName`. Built once a platform. */
export class References {
  private readonly named = new Map<string, Set<PlatformObject>>()

  constructor(platform: Platform) {
    for (const object of platform.objects) {
      for (const target of targetsOf(object.manifest, [])) {
        const key = `${target.namespace ?? namespaceOf(object)}/${target.kind}/${target.name}`
        const naming = this.named.get(key) ?? new Set()
        this.named.set(key, naming.add(object))
      }
    }
  }

  /** The objects that name this one, in the order given. */
  to(object: PlatformObject): PlatformObject[] {
    const key = `${namespaceOf(object)}/${object.manifest.kind}/${object.manifest.metadata.name}`
    return [...(this.named.get(key) ?? [])].filter((naming) => naming !== object)
  }
}

interface Target {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

function* targetsOf(value: unknown, path: readonly string[]): Generator<Target> {
  if (Array.isArray(value)) {
    for (const item of value) yield* targetsOf(item, path)
  } else if (isMap(value)) {
    const kind = kindNamed(value, path.at(-1))
    if (kind !== undefined && typeof value['name'] === 'string') {
      const namespace = value['namespace']
      yield { kind, name: value['name'], ...(typeof namespace === 'string' ? { namespace } : {}) }
    }
    for (const [key, item] of Object.entries(value)) {
      if (path.length > 0 || (key !== 'metadata' && key !== 'status')) yield* targetsOf(item, [...path, key])
    }
  } else if (typeof value === 'string') {
    const service = serviceNamed(value, path.at(-1))
    if (service) yield service
  }
}

/** The kind a reference names, or the one its place implies: KEDA's scaleTargetRef means a Deployment, a backendRef a Service. */
function kindNamed(reference: Record<string, unknown>, place: string | undefined): string | undefined {
  if (typeof reference['kind'] === 'string') return reference['kind']
  if (place === 'scaleTargetRef') return 'Deployment'
  return place === 'backendRefs' || place === 'service' ? 'Service' : undefined
}

function serviceNamed(text: string, place: string | undefined): Target | undefined {
  if (place === 'serviceName' || place === 'service') return { kind: 'Service', name: text }
  if (place !== 'host') return undefined
  const [name = '', namespace, third] = text.split('.')
  if (namespace === undefined) return { kind: 'Service', name }
  return third === undefined || third === 'svc' ? { kind: 'Service', name, namespace } : undefined
}
