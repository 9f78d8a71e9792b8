import { configMapsIn } from '../config-maps.ts'
import { namespaceOf, type Platform } from '../platform.ts'
import { type Download, downloadsOf } from './download-command.ts'
import type { InferenceServerRole } from './inference-servers.ts'
import { withMountedScript } from './mounted-script.ts'
import type { WrittenContainer, WrittenPodSpec } from './pod-templates.ts'

/** An init container that fetches models and does nothing else that takes time. */
export interface FetchingContainer {
  readonly container: WrittenContainer
  readonly downloads: readonly Download[]
  /** Where the server's container finds a folder of this one; undefined: it does not see it. */
  folderInServer(path: string): string | undefined
  /** The volume a folder is on. */
  volumeAt(path: string): string | undefined
}

/** Init containers that run to their end: no sidecars. */
export const initContainersOf = ({ initContainers = [] }: WrittenPodSpec): readonly WrittenContainer[] =>
  initContainers.filter(({ restartPolicy }) => restartPolicy !== 'Always')

/** The init containers of a server that fetch models, with what they fetch. */
export function fetchingContainers(
  platform: Platform,
  { object, template, container: server }: InferenceServerRole<unknown>,
): FetchingContainer[] {
  const configMaps = configMapsIn(platform, namespaceOf(object))
  return initContainersOf(template.spec).flatMap((container) => {
    const downloads = downloadsOf(withMountedScript(container, template.spec, configMaps), configMaps)
    if (!downloads) return []
    return [
      {
        container,
        downloads,
        folderInServer: (path) => translated(path, container, server),
        volumeAt: (path) => mountOf(path, container)?.name,
      },
    ]
  })
}

/** The model a server's init containers put into the folder it reads, by its name on the hub. */
export function fetchedInto(platform: Platform, server: InferenceServerRole<unknown>, folder: string) {
  for (const { container, downloads, folderInServer } of fetchingContainers(platform, server)) {
    const found = downloads.find(
      ({ model, into }) =>
        model !== undefined && into !== undefined && sameFolder(folderInServer(into) ?? into, folder),
    )
    if (found) return { model: found.model!, container: container.name }
  }
  return undefined
}

/** Whether one folder is the other, or holds it. */
export const sameFolder = (a: string, b: string): boolean => {
  const [one, other] = [bare(a), bare(b)]
  return one === other || `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`)
}

const bare = (path: string): string => path.replace(/\/+$/, '').replace(/\/\/+/g, '/')

const mountOf = (path: string, { volumeMounts = [] }: WrittenContainer) =>
  [...volumeMounts]
    .sort((a, b) => b.mountPath.length - a.mountPath.length)
    .find(({ mountPath }) => `${bare(path)}/`.startsWith(`${bare(mountPath)}/`))

function translated(path: string, from: WrittenContainer, to: WrittenContainer): string | undefined {
  const mount = mountOf(path, from)
  const other = mount && (to.volumeMounts ?? []).find(({ name }) => name === mount.name)
  if (!mount || !other) return undefined
  const rest = bare(path).slice(bare(mount.mountPath).length)
  const within = `${mount.subPath ? `/${mount.subPath}` : ''}${rest}`
  const cut = other.subPath ? `/${other.subPath}` : ''
  return within.startsWith(cut) ? bare(other.mountPath) + within.slice(cut.length) : undefined
}
