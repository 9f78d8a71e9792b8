import { seconds, type Us } from '../../../sandbox/world/time.ts'
import type { Declared } from '../config/config.ts'
import { namespaceOf, type Platform } from '../platform.ts'
import type { Download } from '../roles/download-command.ts'
import { type FetchingContainer, fetchingContainers, initContainersOf, sameFolder } from '../roles/fetches.ts'
import type { InferenceServerRole } from '../roles/inference-servers.ts'
import { isMap, podTemplatesOf } from '../roles/pod-templates.ts'
import { assumed, declaredInput, type Input } from './input.ts'
import { specNamed } from './known-models.ts'

/** How a server's init container is called among inputs: `Deployment/chat/fetch`. */
export const initKey = (serverId: string, container: string): string => `${serverId}/${container}`

/** Bytes a second from where models are kept, by a program that fetches several files at once. */
const BYTES_PER_SECOND = {
  hub: { slow: 0.1e9, likely: 0.3e9, fast: 1e9 },
  bucket: { slow: 0.1e9, likely: 0.5e9, fast: 2e9 },
}
/** Repositories on a hub often keep the weights a second time, in another format. */
const WHOLE_REPOSITORY = 2.2
/** To start, and to find that everything is there. */
const AT_LEAST = seconds(2)

interface Server {
  readonly server: InferenceServerRole<unknown>
  /** The model it loads, as vLLM is told, and the bytes of its weights; undefined where that is not known. */
  readonly facts: { readonly model?: string; readonly weightsBytes?: number }
}

/**
 * How long the init containers of servers run: as `seatrial.yaml` says, or the bytes of a known model at a bandwidth that is assumed. Those of
 * which neither can be said are not among them.
 */
export function initInputs(platform: Platform, servers: readonly Server[]): Record<string, Input<Us>> {
  return Object.fromEntries(
    servers.flatMap((one) =>
      initContainersOf(one.server.template.spec).flatMap((container) => {
        const given = givenFor(platform, one.server, container.name)
        const input = given?.runTime
          ? declaredInput(platform.config!, ['containers', given.key, 'runTime'], given.runTime)
          : fetchInput(platform, one, container.name, given?.bandwidth && { ...given, bandwidth: given.bandwidth })
        return input ? [[initKey(one.server.id, container.name), input] as const] : []
      }),
    ),
  )
}

/** Everything `containers:` of `seatrial.yaml` may name. */
export const initContainerNames = (platform: Platform): string[] =>
  platform.objects.flatMap((object) =>
    podTemplatesOf(object).flatMap(({ spec }) =>
      initContainersOf(spec).flatMap(({ name }) => namesOf(namespaceOf(object), object.manifest.metadata.name, name)),
    ),
  )

const namesOf = (namespace: string, workload: string, container: string): string[] => [
  `${namespace}/${workload}/${container}`,
  `${workload}/${container}`,
  container,
]

function givenFor(platform: Platform, { object }: InferenceServerRole<unknown>, container: string) {
  const all = platform.config?.containers ?? {}
  const key = namesOf(namespaceOf(object), object.manifest.metadata.name, container).find((name) =>
    Object.hasOwn(all, name),
  )
  return key === undefined ? undefined : { key, ...all[key]! }
}

/** The bytes it fetches at a bandwidth. Undefined: it fetches something else, or nobody knows how much. */
function fetchInput(
  platform: Platform,
  { server, facts }: Server,
  name: string,
  given: { key: string; bandwidth: Declared<number> } | undefined,
): Input<Us> | undefined {
  const fetching = fetchingContainers(platform, server).find(({ container }) => container.name === name)
  if (!fetching) return undefined
  const parts = fetching.downloads.map((download) => {
    const bytes = bytesOf(platform, download, fetching, facts)
    return bytes === undefined ? undefined : { download, bytes, there: isThere(download, fetching, server) }
  })
  if (parts.includes(undefined)) return undefined
  const known = parts as { download: Download; bytes: number; there: boolean }[]
  const total = (end: 'slow' | 'likely' | 'fast'): Us =>
    known.reduce((sum, { download, bytes, there }) => {
      if (end === 'fast' && there) return sum
      const share =
        end === 'fast' && download.partial ? 0.3 : end === 'slow' && mayBeMore(download) ? WHOLE_REPOSITORY : 1
      const rate = given?.bandwidth.range?.[end === 'slow' ? 0 : 1] ?? given?.bandwidth.value
      const chosen = end === 'likely' ? given?.bandwidth.value : rate
      return sum + seconds((share * bytes) / (chosen ?? BYTES_PER_SECOND[download.from][end]))
    }, AT_LEAST)
  const bytes = known.reduce((sum, part) => sum + part.bytes, 0)
  const tools = [...new Set(known.map(({ download }) => download.tool))].join(', ')
  const { key } = given ?? { key: `${server.object.manifest.metadata.name}/${name}` }
  const rate = given?.bandwidth.value ?? BYTES_PER_SECOND[known[0]!.download.from].likely
  const what = `${tools} of ${(bytes / 1e9).toFixed(1)} GB at ${Math.round(rate / 1e6)} MB/s`
  const [low, high] = [total('fast'), total('slow')]
  if (given && low === high)
    return declaredInput(platform.config!, ['containers', given.key, 'bandwidth'], { ...given.bandwidth, value: high })
  return assumed(
    total('likely'),
    [low, high],
    `${what}: give containers["${key}"].${given ? 'runTime' : 'runTime or .bandwidth'} in seatrial.yaml`,
  )
}

const mayBeMore = ({ from, partial }: Download): boolean => from === 'hub' && !partial

/** The weights of the model it names; without a name, those of the server, where it puts them in the folder the server reads. */
function bytesOf(
  { config }: Platform,
  { model, into }: Download,
  { folderInServer }: FetchingContainer,
  facts: Server['facts'],
): number | undefined {
  const named = model === undefined ? undefined : specNamed(config, model)
  if (named) return named.weightsBytes
  if (into === undefined || facts.model === undefined) return undefined
  return sameFolder(folderInServer(into) ?? into, facts.model) ? facts.weightsBytes : undefined
}

/** Whether what it fetches may be there already, from an earlier start of another pod. */
function isThere(
  { skipsWhatIsThere, into }: Download,
  { volumeAt, container }: FetchingContainer,
  server: InferenceServerRole<unknown>,
): boolean {
  const mounts = container.volumeMounts ?? []
  const name = into === undefined ? mounts[0]?.name : volumeAt(into)
  const volume = (server.template.spec.volumes ?? []).find((one) => one.name === name)
  return skipsWhatIsThere && isMap(volume) && !('emptyDir' in volume)
}
