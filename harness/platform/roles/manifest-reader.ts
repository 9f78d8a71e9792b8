import { type Kind, keyOf, kindOf } from '../../../sandbox/kube/kinds.ts'
import type { KubeObject } from '../../../sandbox/kube/objects.ts'
import type { ObjectReader } from '../../../sandbox/network/gateway/attachment.ts'
import { namespaceOf, type Platform } from '../platform.ts'

/** A platform's manifests read as a cluster that holds nothing else: what is namespaced has its namespace, nothing else is filled in. */
export function manifestReader(platform: Platform): ObjectReader {
  const byKind = new Map<string, Map<string, KubeObject>>()
  for (const object of platform.objects) {
    const { manifest } = object
    const kind = kindOf(manifest)
    const metadata = kind.namespaced ? { ...manifest.metadata, namespace: namespaceOf(object) } : manifest.metadata
    const held = { ...manifest, metadata } as unknown as KubeObject
    const known = byKind.get(kind.id) ?? new Map<string, KubeObject>()
    byKind.set(kind.id, known.set(keyOf(held), held))
  }
  return {
    get: <T extends KubeObject>(kind: Kind<T>, key: string) => byKind.get(kind.id)?.get(key) as T | undefined,
    list: <T extends KubeObject>(kind: Kind<T>) => [...(byKind.get(kind.id)?.values() ?? [])] as T[],
  }
}
