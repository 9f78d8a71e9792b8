import { milliValueOf, parseQuantity, wholeValueOf } from '../../../kube/quantity.ts'
import type { Value } from './generator.ts'

/** A list of quantities as kube-state-metrics shows it: CPU in cores, memory in bytes, extended resources as integers. */
// follows createPodContainerResourceRequestsFamilyGenerator of internal/store/pod.go
export function resourceValues(
  list: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): Value[] {
  return Object.entries(list ?? {}).flatMap(([resource, text]): Value[] => {
    const unit = unitOf(resource)
    if (!unit) return []
    const quantity = parseQuantity(text)
    const value = unit === 'core' ? milliValueOf(quantity) / 1000 : wholeValueOf(quantity)
    return [[{ ...labels, resource: resource.replace(/[^a-zA-Z0-9_]/g, '_'), unit }, value]]
  })
}

function unitOf(resource: string): 'core' | 'byte' | 'integer' | undefined {
  if (resource === 'cpu') return 'core'
  if (resource === 'memory' || resource === 'storage' || resource === 'ephemeral-storage') return 'byte'
  if (resource.startsWith('hugepages-') || resource.startsWith('attachable-volumes-')) return 'byte'
  if (resource === 'pods') return 'integer'
  const extended = resource.includes('/') && !resource.includes('kubernetes.io/') && !resource.startsWith('requests.')
  return extended ? 'integer' : undefined
}
