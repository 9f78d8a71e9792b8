import type { Container, Draft, KubeObject, Pod, PriorityClass } from '../sandbox/kube/objects.ts'
import { environmentReferences, type Reference, volumeReferences } from '../sandbox/nodes/references.ts'
import { assumedClaim, assumedStorageClasses } from './assumed-storage.ts'
import { namespaceOf, type Platform } from './platform/platform.ts'
import { podTemplatesOf } from './platform/roles/pod-templates.ts'

const KINDS = { configmap: 'ConfigMap', secret: 'Secret', claim: 'PersistentVolumeClaim' } as const

/**
 * Stand-ins for the ConfigMaps, Secrets and claims that pods refer to and the manifests do not hold: they are usually made elsewhere
 * (by hand, by an operator), and without them no pod would start. Every key that is referred to is there, and empty.
 */
export function assumedObjects(platform: Platform): Draft<KubeObject>[] {
  const made = new Map<string, Draft<KubeObject> & { data: Record<string, string> }>()
  const claims = new Map<string, readonly Draft<KubeObject>[]>()
  for (const object of platform.objects) {
    const namespace = namespaceOf(object)
    for (const { spec } of podTemplatesOf(object)) {
      const containers = [...spec.containers, ...(spec.initContainers ?? [])] as Container[]
      const references = [...volumeReferences({ spec } as unknown as Pod), ...containers.flatMap(environmentReferences)]
      for (const reference of references) {
        if (isGiven(platform, namespace, reference)) continue
        const kind = KINDS[reference.kind]
        if (reference.kind === 'claim') {
          claims.set(`${namespace}/${reference.name}`, assumedClaim(namespace, reference.name))
          continue
        }
        const id = `${kind}/${namespace}/${reference.name}`
        const one = made.get(id) ?? { apiVersion: 'v1', kind, metadata: { name: reference.name, namespace }, data: {} }
        if (reference.key) one.data[reference.key] = ''
        made.set(id, one)
      }
    }
  }
  return [
    ...made.values(),
    ...[...claims.values()].flat(),
    ...assumedStorageClasses(platform),
    ...namedByPods(platform),
  ]
}

/** ServiceAccounts and PriorityClasses that pods name; a class nobody gives has the value a snapshot measured, or 0. */
function namedByPods(platform: Platform): Draft<KubeObject>[] {
  const made = new Map<string, Draft<KubeObject>>()
  for (const object of platform.objects) {
    for (const { spec } of podTemplatesOf(object)) {
      const { serviceAccountName: account, priorityClassName: priority } = spec
      if (account && account !== 'default')
        made.set(`ServiceAccount/${namespaceOf(object)}/${account}`, {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: account, namespace: namespaceOf(object) },
        })
      if (priority && !priority.startsWith('system-'))
        made.set(`PriorityClass/${priority}`, {
          apiVersion: 'scheduling.k8s.io/v1',
          kind: 'PriorityClass',
          metadata: { name: priority },
          value: platform.config?.cluster?.priorityClasses?.[priority] ?? 0,
        } as Draft<PriorityClass>)
    }
  }
  for (const { manifest } of platform.objects) {
    made.delete(`ServiceAccount/${manifest.metadata.namespace ?? 'default'}/${manifest.metadata.name}`)
    if (manifest.kind === 'PriorityClass') made.delete(`PriorityClass/${manifest.metadata.name}`)
  }
  return [...made.values()]
}

const isGiven = (platform: Platform, namespace: string, { kind, name }: Reference): boolean =>
  platform.objects.some(
    (o) => o.manifest.kind === KINDS[kind] && o.manifest.metadata.name === name && namespaceOf(o) === namespace,
  )
