import type { KubeObject } from '../../kube/objects.ts'
import type { PrometheusObject } from './config-source.ts'

/** A Prometheus that a platform's objects declare. */
export type DeclaredPrometheus =
  | { readonly kind: 'operator'; readonly object: PrometheusObject }
  | { readonly kind: 'file'; readonly configMap: string; readonly dataKey: string }

/**
 * The Prometheus servers among a platform's objects: Prometheus objects, and ConfigMaps with a file that has `scrape_configs`.
 * Without any, monitors are somebody else's to select: `operatorSource` without an object takes them all.
 */
export function declaredPrometheus(objects: readonly KubeObject[]): readonly DeclaredPrometheus[] {
  return objects.flatMap((object): DeclaredPrometheus[] => {
    if (object.kind === 'Prometheus' && object.apiVersion.startsWith('monitoring.coreos.com/'))
      return [{ kind: 'operator', object: object as PrometheusObject }]
    return dataOf(object)
      .filter(([key, text]) => /\.ya?ml$/.test(key) && /^scrape_configs:/m.test(text))
      .map(([dataKey]) => ({ kind: 'file', configMap: keyOf(object), dataKey }))
  })
}

/** ConfigMaps that hold a prometheus-adapter's configuration: `rules` or `externalRules` with a `seriesQuery`. */
export function declaredAdapterConfigs(
  objects: readonly KubeObject[],
): readonly { readonly configMap: string; readonly text: string }[] {
  return objects.flatMap((object) =>
    dataOf(object)
      .filter(
        ([, text]) => /^(rules|externalRules|resourceRules):/m.test(text) && /seriesQuery|containerQuery/.test(text),
      )
      .map(([, text]) => ({ configMap: keyOf(object), text })),
  )
}

function dataOf(object: KubeObject): [key: string, text: string][] {
  if (object.kind !== 'ConfigMap') return []
  const { data } = object as KubeObject & { data?: Readonly<Record<string, unknown>> }
  return Object.entries(data ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
}

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? 'default'}/${metadata.name}`
