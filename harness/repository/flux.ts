import type { Manifest, Platform } from '../platform/platform.ts'
import { type DeployedSource, mapAt } from './deployed-source.ts'

/** What a Flux HelmRelease or Kustomization deploys, by `helm.toolkit.fluxcd.io` and `kustomize.toolkit.fluxcd.io`. */
export function fluxSources(manifest: Manifest, platform: Platform): DeployedSource[] {
  const { kind } = manifest
  if (kind === 'HelmRelease') return [helmRelease(manifest, platform)]
  return kind === 'Kustomization' ? [kustomization(manifest, platform)] : []
}

function helmRelease(manifest: Manifest, platform: Platform): DeployedSource {
  const spec = mapAt(manifest, 'spec')
  const chart = mapAt(spec, 'chart', 'spec')
  const chartRef = mapAt(spec, 'chartRef')
  const source = mapAt(chart, 'sourceRef')
  const local = source['kind'] === 'GitRepository' && typeof chart['chart'] === 'string'
  const files = Array.isArray(chart['valuesFiles']) ? chart['valuesFiles'].map(String) : []
  const version = chart['version'] === undefined ? '' : ` ${String(chart['version'])}`
  const path = String(chart['chart'])
  const namespace = spec['targetNamespace'] ?? manifest.metadata.namespace
  return {
    ...(local
      ? { path }
      : {
          remote:
            chartRef['name'] === undefined
              ? `chart ${path}${version} of ${urlOf(source, platform)}`
              : `the chart of ${urlOf(chartRef, platform)}`,
        }),
    release: String(spec['releaseName'] ?? manifest.metadata.name),
    ...(typeof namespace === 'string' ? { namespace } : {}),
    // they are relative to the repository, not to the chart
    valueFiles: files.map(
      (file) =>
        `${path
          .split('/')
          .filter((part) => part !== '.' && part !== '')
          .map(() => '..')
          .join('/')}/${file}`,
    ),
    set: [],
    lost: ['values', 'valuesFrom', 'postRenderers'].filter((field) => spec[field] !== undefined),
  }
}

function kustomization(manifest: Manifest, platform: Platform): DeployedSource {
  const spec = mapAt(manifest, 'spec')
  const source = mapAt(spec, 'sourceRef')
  const path = typeof spec['path'] === 'string' ? spec['path'] : './'
  return {
    ...(source['kind'] === 'GitRepository' ? { path } : { remote: `${path} of ${urlOf(source, platform)}` }),
    release: manifest.metadata.name,
    valueFiles: [],
    set: [],
    lost: ['postBuild', 'patches', 'images', 'components'].filter((field) => spec[field] !== undefined),
  }
}

/** `OCIRepository models (oci://…)`, with the address where the source is among the manifests. */
function urlOf(reference: Readonly<Record<string, unknown>>, { objects }: Platform): string {
  const { kind, name } = reference
  const source = objects.find(({ manifest }) => manifest.kind === kind && manifest.metadata.name === name)
  const url = source && mapAt(source.manifest, 'spec')['url']
  return `${String(kind)} ${String(name)}${typeof url === 'string' ? ` (${url})` : ''}`
}
