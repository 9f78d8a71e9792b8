import type { DeclaredPrometheus } from '../../../../sandbox/metrics/scrape/declared.ts'
import { valueAt } from '../../path.ts'
import { namespaceOf, type Platform, type PlatformObject } from '../../platform.ts'
import { selectsPods } from '../inference-servers.ts'
import { isMap, podTemplatesOf } from '../pod-templates.ts'

/** Of the addresses that are asked, those that lead to one declared Prometheus: by the Services in front of it. */
export function addressesOf(
  platform: Platform,
  prometheus: DeclaredPrometheus | { readonly kind: 'operator' },
  asked: readonly string[],
): string[] {
  const hosts = hostsOf(platform, prometheus)
  return asked.filter((address) => {
    const host = /^https?:\/\/([^/:?#]+)/.exec(address)?.[1] ?? ''
    const [name = '', namespace = 'default'] = host.split('.')
    return hosts.has(`${namespace}/${name}`)
  })
}

function hostsOf(platform: Platform, prometheus: DeclaredPrometheus | { readonly kind: 'operator' }): Set<string> {
  const services = platform.objects.filter(({ manifest }) => manifest.kind === 'Service')
  const keyOf = (service: PlatformObject) => `${namespaceOf(service)}/${service.manifest.metadata.name}`
  if (prometheus.kind === 'file') {
    const servers = mountersOf(platform, prometheus.configMap)
    const leading = services.filter((service) =>
      servers.some(
        (server) =>
          namespaceOf(server) === namespaceOf(service) &&
          podTemplatesOf(server).some((template) => selectsPods(service, 'spec.selector', template)),
      ),
    )
    return new Set(leading.map(keyOf))
  }
  if (!('object' in prometheus)) return new Set()
  const { name, namespace = 'default' } = prometheus.object.metadata
  // the governing Service that prometheus-operator makes, and those whose selector names the object
  const leading = services.filter((service) => {
    const selector = valueAt(service.manifest, 'spec.selector')
    const named = isMap(selector) && [selector['prometheus'], selector['operator.prometheus.io/name']].includes(name)
    return named && namespaceOf(service) === namespace
  })
  return new Set([`${namespace}/prometheus-operated`, ...leading.map(keyOf)])
}

function mountersOf(platform: Platform, configMap: string): PlatformObject[] {
  return platform.objects.filter((object) =>
    podTemplatesOf(object).some(({ spec }) =>
      (spec.volumes ?? []).some(
        (volume) => `${namespaceOf(object)}/${String(valueAt(volume, 'configMap.name'))}` === configMap,
      ),
    ),
  )
}
