import { equal } from '../../journal/merge-patch.ts'
import { StorageClass } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Strategy, StrategyContext } from '../strategy.ts'
import { forbidden, required } from '../validation/field.ts'
import { objectMeta, objectMetaUpdate } from '../validation/meta.ts'
import { dns1123Subdomain } from '../validation/names.ts'
import { canonicalQuantities, fill, fillZero, within } from './fill.ts'

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'

/** Follows pkg/registry/core/persistentvolumeclaim/strategy.go and plugin/pkg/admission/storage/storageclass/setdefault. */
export const claimStrategy: Strategy<o.PersistentVolumeClaim> = {
  hasStatus: true,
  hasGeneration: false,
  default: (claim) =>
    within(fill(claim, { spec: {} }), 'spec', (spec) =>
      within(fill(spec, { volumeMode: 'Filesystem' }), 'resources', (resources) =>
        within(resources, 'requests', canonicalQuantities),
      ),
    ),
  admit: (claim, context) => {
    if (!claim.spec || claim.spec.storageClassName !== undefined) return claim
    const name = defaultClass(context)
    return name === undefined ? claim : { ...claim, spec: { ...claim.spec, storageClassName: name } }
  },
  prepareForCreate: (claim) => ({ ...claim, status: { phase: 'Pending' } }),
  validate: (claim) => objectMeta(claim.metadata, dns1123Subdomain),
  validateUpdate: (claim, before) => [
    ...objectMetaUpdate(claim.metadata, before.metadata),
    ...(isSameButForBinding(claim.spec, before.spec)
      ? []
      : [
          forbidden(
            'spec',
            'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          ),
        ]),
  ],
  validateStatusUpdate: (claim, before) => objectMetaUpdate(claim.metadata, before.metadata),
}

type ClaimSpec = o.PersistentVolumeClaim['spec'] | undefined

function isSameButForBinding(spec: ClaimSpec, before: ClaimSpec): boolean {
  if (spec === before) return true
  const rest = { ...spec, volumeName: before?.volumeName || spec?.volumeName, resources: undefined }
  return equal(rest, { ...before, volumeName: before?.volumeName || spec?.volumeName, resources: undefined })
}

/** The newest class that is marked as the default one; of equally old ones, the first by name. Follows GetDefaultClass. */
function defaultClass(context: StrategyContext): string | undefined {
  const marked = context.list(StorageClass).filter(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true')
  const [newest] = marked.sort(({ metadata: a }, { metadata: b }) =>
    a.creationTimestamp === b.creationTimestamp
      ? a.name < b.name
        ? -1
        : 1
      : a.creationTimestamp < b.creationTimestamp
        ? 1
        : -1,
  )
  return newest?.metadata.name
}

/** Follows pkg/apis/core/v1/defaults.go SetDefaults_PersistentVolume and pkg/registry/core/persistentvolume/strategy.go. */
export const volumeStrategy: Strategy<o.PersistentVolume> = {
  hasStatus: true,
  hasGeneration: false,
  default: (volume) =>
    within(volume, 'spec', (spec) =>
      within(
        fillZero(fill(spec, { volumeMode: 'Filesystem' }), { persistentVolumeReclaimPolicy: 'Retain' }),
        'capacity',
        canonicalQuantities,
      ),
    ),
  prepareForCreate: (volume) => ({ ...volume, status: { phase: 'Pending' } }),
  validate: (volume) => [
    ...objectMeta(volume.metadata, dns1123Subdomain),
    ...(volume.spec.capacity ? [] : [required('spec.capacity')]),
    ...(volume.spec.accessModes?.length ? [] : [required('spec.accessModes')]),
    ...(volume.spec.local && !volume.spec.nodeAffinity
      ? [required('spec.nodeAffinity', 'Local volume requires node affinity')]
      : []),
  ],
  validateUpdate: (volume, before) => objectMetaUpdate(volume.metadata, before.metadata),
  validateStatusUpdate: (volume, before) => objectMetaUpdate(volume.metadata, before.metadata),
}

/** Follows pkg/apis/storage/v1/defaults.go SetDefaults_StorageClass. */
export const storageClassStrategy: Strategy<o.StorageClass> = {
  hasStatus: false,
  hasGeneration: false,
  default: (object) => fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  validate: (object) => [
    ...objectMeta(object.metadata, dns1123Subdomain),
    ...(object.provisioner ? [] : [required('provisioner')]),
  ],
  validateUpdate: (object, before) => objectMetaUpdate(object.metadata, before.metadata),
}

/** Follows pkg/registry/storage/volumeattachment/strategy.go. */
export const attachmentStrategy: Strategy<o.VolumeAttachment> = {
  hasStatus: true,
  hasGeneration: false,
  default: (object) => object,
  prepareForCreate: (object) => ({ ...object, status: { attached: false } }),
  validate: (object) => objectMeta(object.metadata, dns1123Subdomain),
  validateUpdate: (object, before) => objectMetaUpdate(object.metadata, before.metadata),
  validateStatusUpdate: (object, before) => objectMetaUpdate(object.metadata, before.metadata),
}
