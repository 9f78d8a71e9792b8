import type { MetricsGroup } from '../adapter/metrics-client.ts'

/** The versions of each group, the preferred one first. */
export const VERSIONS: Readonly<Record<MetricsGroup, readonly string[]>> = {
  'metrics.k8s.io': ['v1beta1'],
  // a client asks for the preferred one, and knows both
  'custom.metrics.k8s.io': ['v1beta2', 'v1beta1'],
  'external.metrics.k8s.io': ['v1beta1'],
}

export const GROUPS = Object.keys(VERSIONS) as readonly MetricsGroup[]

/** A resource of a discovery document. */
export interface ApiResource {
  readonly name: string
  readonly singularName: string
  readonly namespaced: boolean
  readonly kind: string
  readonly verbs: readonly string[]
}

/** The APIGroup of `/apis/<group>`. */
export function apiGroup(group: MetricsGroup) {
  const versions = VERSIONS[group].map((version) => ({ groupVersion: `${group}/${version}`, version }))
  return { kind: 'APIGroup', apiVersion: 'v1', name: group, versions, preferredVersion: versions[0]! }
}

/** The APIResourceList of `/apis/<group>/<version>`. */
export const apiResourceList = (group: MetricsGroup, version: string, resources: readonly ApiResource[]) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${group}/${version}`,
  resources,
})
