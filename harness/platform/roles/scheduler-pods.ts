import { namespaceOf, type Platform, type PlatformObject } from '../platform.ts'
import { podTemplatesOf, type WrittenContainer, type WrittenPodSpec } from './pod-templates.ts'

/** A kube-scheduler among the manifests, and the text of the configuration it mounts. */
export interface MountedConfig {
  readonly object: PlatformObject
  readonly text?: string
  /** The ConfigMap that holds it, and its key there. */
  readonly map?: PlatformObject
  readonly key?: string
  /** Why there is no text. */
  readonly missing?: string
}

/** Every workload with pods that run kube-scheduler, but for those without replicas. */
export const schedulerPods = (platform: Platform): MountedConfig[] =>
  platform.objects.flatMap((object) =>
    podTemplatesOf(object)
      .filter(({ replicas }) => replicas > 0)
      .flatMap(({ spec }) =>
        spec.containers.filter(runsScheduler).map((container) => configOf(platform, object, spec, container)),
      ),
  )

const runsScheduler = ({ image = '', command = [], args = [] }: WrittenContainer): boolean =>
  /(^|\/)kube-scheduler([:@]|$)/.test(image) ||
  [...command, ...args].some((word) => /(^|[\s/])kube-scheduler(\s|$)/.test(word))

function configOf(
  platform: Platform,
  object: PlatformObject,
  spec: WrittenPodSpec,
  { command = [], args = [], volumeMounts = [] }: WrittenContainer,
): MountedConfig {
  const words = [...command, ...args].flatMap((word) => word.trim().split(/\s+/))
  const at = words.findIndex((word) => /^--config(=|$)/.test(word))
  if (at < 0)
    return { object, missing: 'it runs kube-scheduler without --config, and which scheduler it is cannot be told' }
  const file = words[at]!.includes('=') ? words[at]!.slice('--config='.length) : (words[at + 1] ?? '')
  const mount = volumeMounts.find(
    ({ mountPath }) => file === mountPath || file.startsWith(`${mountPath}/`.replace('//', '/')),
  )
  const volume = spec.volumes?.find(({ name }) => name === mount?.name)
  const source = volume?.['configMap'] as
    | { name?: string; items?: readonly { key: string; path: string }[] }
    | undefined
  const map = platform.objects.find(
    (one) =>
      one.manifest.kind === 'ConfigMap' &&
      one.manifest.metadata.name === source?.name &&
      namespaceOf(one) === namespaceOf(object),
  )
  if (!map) return { object, missing: `its configuration ${file} is in no ConfigMap among the manifests` }
  const path = (mount as { subPath?: string }).subPath ?? file.slice(mount!.mountPath.length).replace(/^\//, '')
  const key = source?.items?.find((item) => item.path === path)?.key ?? path
  const text = (map.manifest['data'] as Record<string, string> | undefined)?.[key]
  return text === undefined
    ? { object, missing: `ConfigMap ${map.manifest.metadata.name} has no key ${key}` }
    : { object, text, map, key }
}
