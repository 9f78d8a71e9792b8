import type * as o from '../../kube/objects.ts'
import { each, fill, fillZero, type Json, within } from './fill.ts'
import { isLatest } from './images.ts'

type Volume = NonNullable<o.PodSpec['volumes']>[number]

/** Octal 0644, the mode of projected files. */
const FILE_MODE = 0o644

/** One volume of a pod. Follows pkg/apis/core/v1/defaults.go SetDefaults_Volume and those of the sources. */
export function defaultVolume(volume: Volume): Volume {
  if (Object.keys(volume).every((key) => key === 'name' || volume[key] === undefined || volume[key] === null))
    return { ...volume, emptyDir: {} }
  let out: Json = volume
  for (const source in SOURCES) out = within(out, source, (value) => SOURCES[source]!(value as Json))
  return out as Volume
}

const withMode = (source: Json): Json => fill(source, { defaultMode: FILE_MODE })

const withFieldRefs = (source: Json): Json =>
  within(source, 'items', (items) =>
    each(items as Json[], (item) => within(item, 'fieldRef', (ref) => fillZero(ref as Json, { apiVersion: 'v1' }))),
  )

const SOURCES: Readonly<Record<string, (source: Json) => Json>> = {
  hostPath: (source) => fill(source, { type: '' }),
  secret: withMode,
  configMap: withMode,
  downwardAPI: (source) => withFieldRefs(withMode(source)),
  projected: (source) =>
    within(withMode(source), 'sources', (sources) =>
      each(sources as Json[], (item) =>
        within(
          within(item, 'downwardAPI', (api) => withFieldRefs(api as Json)),
          'serviceAccountToken',
          (token) => fill(token as Json, { expirationSeconds: 3600 }),
        ),
      ),
    ),
  image: (source) =>
    fillZero(source, { pullPolicy: isLatest(source['reference'] as string) ? 'Always' : 'IfNotPresent' }),
  iscsi: (source) => fillZero(source, { iscsiInterface: 'default' }),
  ephemeral: (source) =>
    within(source, 'volumeClaimTemplate', (template) =>
      within(template as Json, 'spec', (spec) => fill(spec as Json, { volumeMode: 'Filesystem' })),
    ),
}
