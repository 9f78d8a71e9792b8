import type { ConfigMapLookup } from '../../sandbox/vllm/flags/kubelet-expansion.ts'
import { namespaceOf, type Platform } from './platform.ts'

/** The ConfigMaps among the manifests, as the pods of a namespace see them. */
export function configMapsIn(platform: Platform, namespace: string): ConfigMapLookup {
  return (name) => {
    const found = platform.objects.find(
      (object) =>
        object.manifest.kind === 'ConfigMap' &&
        object.manifest.metadata.name === name &&
        namespaceOf(object) === namespace,
    )
    return found && ((found.manifest['data'] ?? {}) as Record<string, string>)
  }
}
