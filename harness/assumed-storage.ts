import type { Draft, KubeObject, PersistentVolume, PersistentVolumeClaim } from '../sandbox/kube/objects.ts'
import { valueAt } from './platform/path.ts'
import type { Platform } from './platform/platform.ts'

/** Provisioners of classes nobody gives: what is behind them is taken to be able to do what their claims ask for. */
export const ASSUMED_FILE_STORAGE = 'file.assumed.storage'
export const ASSUMED_BLOCK_STORAGE = 'block.assumed.storage'

const SIZE = '1Ti'

/** A claim made elsewhere, bound to a volume that any node may mount: of one nobody shows, no more can be said. */
export function assumedClaim(namespace: string, name: string): [Draft<PersistentVolume>, Draft<PersistentVolumeClaim>] {
  const volume = `assumed-${namespace}-${name}`.slice(0, 253)
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volume },
      spec: {
        accessModes: ['ReadWriteMany'],
        capacity: { storage: SIZE },
        storageClassName: '',
        claimRef: { kind: 'PersistentVolumeClaim', namespace, name },
        nfs: { server: 'elsewhere', path: `/${name}` },
      },
    } as Draft<PersistentVolume>,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace },
      spec: {
        accessModes: ['ReadWriteMany'],
        storageClassName: '',
        volumeName: volume,
        resources: { requests: { storage: SIZE } },
      },
    } as Draft<PersistentVolumeClaim>,
  ]
}

/** The classes that claims name and the manifests do not hold, and a default one. Block storage unless a claim shares its volume. */
export function assumedStorageClasses(platform: Platform): Draft<KubeObject>[] {
  const given = new Set(
    platform.objects.filter((o) => o.manifest.kind === 'StorageClass').map((o) => o.manifest.metadata.name),
  )
  const shared = new Map<string, boolean>()
  for (const { className, modes } of claimsOf(platform)) {
    const shares = modes.includes('ReadWriteMany') || modes.includes('ReadOnlyMany')
    shared.set(className ?? DEFAULT_CLASS, (shared.get(className ?? DEFAULT_CLASS) ?? false) || shares)
  }
  const classes = new Set([...shared.keys()].filter((name) => name !== ''))
  return [...classes].flatMap((name) => {
    if (given.has(name)) return []
    return [
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name, ...(name === DEFAULT_CLASS ? { annotations: IS_DEFAULT } : {}) },
        provisioner: shared.get(name) ? ASSUMED_FILE_STORAGE : ASSUMED_BLOCK_STORAGE,
        volumeBindingMode: 'WaitForFirstConsumer',
      } as unknown as Draft<KubeObject>,
    ]
  })
}

const DEFAULT_CLASS = 'standard'
const IS_DEFAULT = { 'storageclass.kubernetes.io/is-default-class': 'true' }

function* claimsOf(platform: Platform): Generator<{ className: string | undefined; modes: readonly string[] }> {
  const read = (spec: unknown) => {
    const { storageClassName, accessModes } = (spec ?? {}) as { storageClassName?: string; accessModes?: string[] }
    return { className: storageClassName, modes: accessModes ?? [] }
  }
  for (const { manifest } of platform.objects) {
    if (manifest.kind === 'PersistentVolumeClaim') yield read(manifest['spec'])
    const templates = valueAt(manifest, 'spec.volumeClaimTemplates')
    if (Array.isArray(templates)) for (const template of templates) yield read((template as { spec?: unknown }).spec)
  }
}
