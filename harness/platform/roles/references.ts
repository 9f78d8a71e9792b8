import type { FieldPath } from '../path.ts'
import { isMap } from './pod-templates.ts'

/** Where an object names another: by `{ kind, name }` as `scaleTargetRef` and `backendRefs` do. */
export function referencesTo(value: unknown, kind: string, name: string, path: FieldPath = []): FieldPath[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => referencesTo(item, kind, name, [...path, i]))
  if (!isMap(value)) return []
  const here = value['name'] === name && kindNamed(value, path) === kind ? [path] : []
  return [
    ...here,
    ...Object.entries(value).flatMap(([key, item]) => {
      if (path.length === 0 && (key === 'metadata' || key === 'status')) return []
      return referencesTo(item, kind, name, [...path, key])
    }),
  ]
}

/** Where an object names a Service: `{ kind: Service, name }`, `service: { name }`, `serviceName`, `backendRefs`, or a `host` of its DNS name. */
export function serviceReferences(value: unknown, name: string, namespace: string, path: FieldPath = []): FieldPath[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => serviceReferences(item, name, namespace, [...path, i]))
  if (!isMap(value)) {
    const key = path.at(-1)
    const byName = (key === 'serviceName' || key === 'service') && value === name
    const byHost = key === 'host' && typeof value === 'string' && isHostOf(value, name, namespace)
    return byName || byHost ? [path] : []
  }
  const here = value['name'] === name && kindNamed(value, path) === 'Service' ? [path] : []
  return [
    ...here,
    ...Object.entries(value).flatMap(([key, item]) => {
      if (path.length === 0 && (key === 'metadata' || key === 'status')) return []
      return serviceReferences(item, name, namespace, [...path, key])
    }),
  ]
}

/** The kind a reference names, or the one its place implies: KEDA's scaleTargetRef means a Deployment, a backendRef a Service. */
function kindNamed(reference: Record<string, unknown>, path: FieldPath): string | undefined {
  if (typeof reference['kind'] === 'string') return reference['kind']
  const place = path.filter((part) => typeof part === 'string').at(-1)
  if (place === 'scaleTargetRef') return 'Deployment'
  return place === 'backendRefs' || place === 'service' ? 'Service' : undefined
}

const isHostOf = (host: string, name: string, namespace: string): boolean =>
  host === name || host === `${name}.${namespace}` || host.startsWith(`${name}.${namespace}.svc`)
