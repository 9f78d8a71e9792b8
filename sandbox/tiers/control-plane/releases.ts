/** The programs of a control plane, and the client. */
export type Program = 'etcd' | 'kube-apiserver' | 'kube-scheduler' | 'kube-controller-manager' | 'kubectl'

export const KUBERNETES_VERSION = '1.36.3'
/** etcd has versions of its own; this is the one Kubernetes 1.36 is released with. */
export const ETCD_VERSION = '3.6.8'

/** Where a published program is, and what its bytes must come to. */
export interface Release {
  readonly url: string
  /** A file that begins with the SHA-256, or has a line of it for each file of the release. */
  readonly checksums: string
  /** The name of the download in that file, where it tells several. */
  readonly listedAs?: string
  /** The program's path where an archive is published. */
  readonly inArchive?: string
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/**
 * What is published for a machine: https://kubernetes.io/releases/download and the releases of etcd. Undefined where there is nothing: servers are
 * published for Linux alone, so that elsewhere they are built.
 */
export function releaseOf(
  program: Program,
  version = KUBERNETES_VERSION,
  { platform, arch }: { platform: string; arch: string } = process,
): Release | undefined {
  const architecture = ARCHITECTURES[arch]
  if (!architecture || (platform !== 'linux' && !(platform === 'darwin' && program === 'kubectl'))) return undefined
  if (program === 'etcd') {
    const name = `etcd-v${ETCD_VERSION}-linux-${architecture}`
    const base = `${process.env['SEATRIAL_ETCD_URL'] || 'https://github.com/etcd-io/etcd/releases/download'}/v${ETCD_VERSION}`
    const listedAs = `${name}.tar.gz`
    return { url: `${base}/${listedAs}`, checksums: `${base}/SHA256SUMS`, listedAs, inArchive: `${name}/etcd` }
  }
  const base = process.env['SEATRIAL_KUBERNETES_URL'] || 'https://dl.k8s.io'
  const url = `${base}/v${version}/bin/${platform}/${architecture}/${program}`
  return { url, checksums: `${url}.sha256` }
}

/** Whether the user has said that nothing is to be downloaded. */
export const downloadsAreOff = (): boolean => process.env['SEATRIAL_DOWNLOAD'] === 'off'
