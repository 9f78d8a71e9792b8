import { blockStorage, fileStorage, type StorageAssumptions } from '../../controllers/volume-provisioner.ts'
import type { StorageClass } from '../../kube/objects.ts'

/** Provisioners of shared file systems, by parts of their names; all others are taken to be block storage of one node at a time. */
const FILE_STORAGE =
  /(^|[./-])(file|efs|filestore|nfs|cephfs|lustre|fsx|azurefile|glusterfs|juicefs|weka|beegfs|gcsfuse|s3)/i

/** What is taken of the storage behind a class. */
export const storageOf = ({ provisioner }: StorageClass): StorageAssumptions =>
  FILE_STORAGE.test(provisioner) ? fileStorage : blockStorage
