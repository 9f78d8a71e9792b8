import type * as o from '../../kube/objects.ts'

/** The drivers that have taken over from plugins of the kubelet, by the field of a volume. Follows k8s.io/csi-translation-lib. */
const DRIVERS: Readonly<Record<string, string>> = {
  awsElasticBlockStore: 'ebs.csi.aws.com',
  azureDisk: 'disk.csi.azure.com',
  azureFile: 'file.csi.azure.com',
  cinder: 'cinder.csi.openstack.org',
  gcePersistentDisk: 'pd.csi.storage.gke.io',
  portworxVolume: 'pxd.portworx.com',
  vsphereVolume: 'csi.vsphere.vmware.com',
}
const KINDS = Object.keys(DRIVERS)

type Volume = NonNullable<o.PodSpec['volumes']>[number]

/** Whether the pod names a disk that a driver has taken over. */
export const isMigratable = (volume: Volume): boolean => KINDS.some((kind) => volume[kind])

export const driverOfDisk = (volume: Volume): string | undefined => DRIVERS[KINDS.find((kind) => volume[kind]) ?? '']
