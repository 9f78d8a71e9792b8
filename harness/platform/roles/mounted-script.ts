import type { ConfigMapLookup } from '../../../sandbox/vllm/flags/kubelet-expansion.ts'
import { isMap, type WrittenContainer, type WrittenPodSpec } from './pod-templates.ts'

const SHELL = /(^|\/)(ba|da|a|z)?sh$/

/**
 * A container that runs a script of a ConfigMap among the manifests, `/scripts/start.sh` or `bash /scripts/start.sh`, written as the script itself:
 * `sh -c SCRIPT`. All others as they are.
 */
export function withMountedScript<C extends WrittenContainer>(
  container: C,
  spec: Pick<WrittenPodSpec, 'volumes'>,
  configMaps: ConfigMapLookup,
): C {
  const { command = [], args = [] } = container
  const words = [...command, ...args]
  const at = SHELL.test(words[0] ?? '') ? 1 : 0
  const path = words[at]
  if (command.length === 0 || path === undefined || !path.startsWith('/')) return container
  const script = fileAt(path, container, spec, configMaps)
  if (script === undefined || !(at === 1 || /^#!.*\b(ba|da|a|z)?sh\b/.test(script))) return container
  return { ...container, command: ['sh', '-c', script, path], args: words.slice(at + 1) }
}

/** The text of a file that a ConfigMap's volume puts at a path. */
function fileAt(
  path: string,
  container: WrittenContainer,
  { volumes = [] }: Pick<WrittenPodSpec, 'volumes'>,
  configMaps: ConfigMapLookup,
): string | undefined {
  for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
    const folder = mountPath.replace(/\/$/, '')
    const key =
      subPath !== undefined && path === folder
        ? subPath
        : path.startsWith(`${folder}/`) && path.slice(folder.length + 1)
    const volume = volumes.find((one) => one.name === name)?.['configMap']
    if (!key || !isMap(volume) || typeof volume['name'] !== 'string') continue
    const items = Array.isArray(volume['items']) ? (volume['items'] as { key?: string; path?: string }[]) : undefined
    const named = items ? items.find((item) => item.path === key)?.key : key
    const text = named === undefined ? undefined : configMaps(volume['name'])?.[named]
    if (text !== undefined) return text
  }
  return undefined
}
