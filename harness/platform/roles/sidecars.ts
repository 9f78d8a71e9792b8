import { understand } from '../../../sandbox/nodes/shell.ts'
import { type FieldPath, valueAt } from '../path.ts'
import { namespaceOf, type Platform, type PlatformObject, sourceOf } from '../platform.ts'
import type { InferenceServerRole } from './inference-servers.ts'
import { isMap } from './pod-templates.ts'

/** One line for what runs beside a server: it starts, answers its probes, and does nothing else here. */
export function sidecarNotes<R>({ object, template, container }: InferenceServerRole<R>): string[] {
  const { spec, path } = template
  const beside = [
    ...spec.containers.map((one, i) => ({ one, at: [...path, 'containers', i] })),
    ...(spec.initContainers ?? []).flatMap((one, i) =>
      one.restartPolicy === 'Always' ? [{ one, at: [...path, 'initContainers', i] }] : [],
    ),
  ].filter(
    ({ one }) => one.name !== container.name && understand([...(one.command ?? []), ...(one.args ?? [])]) === undefined,
  )
  if (beside.length === 0) return []
  const names = beside.map(({ one, at }) => `${one.name} (${placeOf(object, at)})`).join(', ')
  return [`beside the server, taken to start in 2 s, to answer probes and to do nothing else: ${names}`]
}

/** Storage in a bucket, mounted as a folder. */
export interface BucketStorage {
  /** `Cloud Storage FUSE`. */
  readonly name: string
  readonly path: FieldPath
  /** Where its driver is said: the server's own manifest, or a volume. */
  readonly object: PlatformObject
  /** A container that is added to the pods for it. */
  readonly addsSidecar: boolean
}

const DRIVERS: Readonly<Record<string, { name: string; addsSidecar: boolean }>> = {
  'gcsfuse.csi.storage.gke.io': { name: 'Cloud Storage FUSE', addsSidecar: true },
  's3.csi.aws.com': { name: 'Mountpoint for Amazon S3', addsSidecar: false },
  'blob.csi.azure.com': { name: 'Azure Blob storage', addsSidecar: false },
}

/** Bytes a second of such storage: a few streams of a bucket at one end, a warm cache or many streams at the other. */
export const BUCKET_BYTES_PER_SECOND = { slow: 0.1e9, likely: 0.5e9, fast: 2e9 }

/** The bucket a server reads a folder from; undefined: none, or nobody can say. */
export function bucketUnder<R>(
  platform: Platform,
  { object, template, container }: InferenceServerRole<R>,
  folder: string,
): BucketStorage | undefined {
  const mount = [...(container.volumeMounts ?? [])]
    .sort((a, b) => b.mountPath.length - a.mountPath.length)
    .find(({ mountPath }) => `${folder}/`.startsWith(`${mountPath.replace(/\/$/, '')}/`))
  const index = (template.spec.volumes ?? []).findIndex(({ name }) => name === mount?.name)
  const volume = template.spec.volumes?.[index]
  if (!volume) return undefined
  const path = [...template.path, 'volumes', index]
  const csi = volume['csi']
  const own = isMap(csi) ? DRIVERS[String(csi['driver'])] : undefined
  if (own) return { ...own, object, path: [...path, 'csi', 'driver'] }
  const claim = volume['persistentVolumeClaim']
  const bound = isMap(claim) ? volumeOf(platform, namespaceOf(object), String(claim['claimName'])) : undefined
  const driver = bound && DRIVERS[String(valueAt(bound.manifest, 'spec.csi.driver'))]
  return driver && bound ? { ...driver, object: bound, path: ['spec', 'csi', 'driver'] } : undefined
}

/** One line for weights in a folder of the nodes, which are taken to have it. */
export function nodeFolderNote<R>({ object, template, container }: InferenceServerRole<R>, folder: string): string[] {
  const mounts = (container.volumeMounts ?? []).filter(({ mountPath }) =>
    `${folder}/`.startsWith(`${mountPath.replace(/\/$/, '')}/`),
  )
  return mounts.flatMap(({ name }) => {
    const i = (template.spec.volumes ?? []).findIndex((one) => one.name === name)
    const hostPath = template.spec.volumes?.[i]?.['hostPath']
    if (!isMap(hostPath)) return []
    const at = placeOf(object, [...template.path, 'volumes', i, 'hostPath', 'path'])
    return [`every node is taken to hold the model below ${String(hostPath['path'])} (${at}), new ones too`]
  })
}

function volumeOf(platform: Platform, namespace: string, claim: string): PlatformObject | undefined {
  const found = platform.objects.find(
    (one) =>
      one.manifest.kind === 'PersistentVolumeClaim' &&
      one.manifest.metadata.name === claim &&
      namespaceOf(one) === namespace,
  )
  const name = found && valueAt(found.manifest, 'spec.volumeName')
  return platform.objects.find(
    (one) =>
      one.manifest.kind === 'PersistentVolume' &&
      (one.manifest.metadata.name === name || valueAt(one.manifest, 'spec.claimRef.name') === claim),
  )
}

/** One line for weights that come out of a bucket. `loadTimeGiven`: how fast that is makes no difference. */
export function bucketNote<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  { folder, loadTimeGiven }: { folder: string; loadTimeGiven: boolean },
): string[] {
  const bucket = bucketUnder(platform, server, folder)
  const injected = server.template.annotations['gke-gcsfuse/volumes'] === 'true'
  if (!bucket) {
    if (!injected) return []
    const at = placeOf(server.object, [
      ...server.template.path.slice(0, -1),
      'metadata',
      'annotations',
      'gke-gcsfuse/volumes',
    ])
    return [
      `the sidecar that GKE adds for Cloud Storage FUSE (${at}) is not simulated, and its CPU and memory are not taken from the nodes`,
    ]
  }
  const { slow, likely, fast } = BUCKET_BYTES_PER_SECOND
  const megabytes = (bytes: number) => `${bytes / 1e6} MB/s`
  const speed = loadTimeGiven ? '' : `, taken to give ${megabytes(likely)} (${megabytes(slow)} to ${megabytes(fast)})`
  const sidecar = bucket.addsSidecar
    ? '; the sidecar added for it is not simulated, and its CPU and memory are not taken from the nodes'
    : ''
  return [`weights are read through ${bucket.name} (${placeOf(bucket.object, bucket.path)})${speed}${sidecar}`]
}

function placeOf(object: PlatformObject, path: FieldPath): string {
  const { file, line, column } = sourceOf(object, path)
  return `${file}:${line}:${column}`
}
