import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as x509 from '@peculiar/x509'

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/**
 * The certificates of one sandbox. Two authorities, as kubeadm makes them: one for servers and for the API server as a client of
 * kubelets, one for the API server as a proxy in front of other API servers. Their private keys are kept in memory alone.
 */
export interface Pki {
  /** Certificate of the authority of all servers, PEM. */
  readonly ca: string
  /** Certificate of the authority of the proxy's client certificate, PEM. */
  readonly frontProxyCa: string
  /** Files of mode 0600, for flags of the control plane. */
  readonly files: Readonly<Record<PkiFile, string>>
  /** A certificate for a server of ours; `names` are DNS names and IPv4 addresses. */
  serving(names: readonly string[]): Promise<KeyPair>
}

export type PkiFile = (typeof FILES)[number]

const FILES = [
  'ca.crt',
  'front-proxy-ca.crt',
  'apiserver.crt',
  'apiserver.key',
  'front-proxy-client.crt',
  'front-proxy-client.key',
  'apiserver-kubelet-client.crt',
  'apiserver-kubelet-client.key',
] as const

/** Whom the servers behind the aggregator hear, and the kubelets: the common names kubeadm gives. */
export const FRONT_PROXY_CLIENT = 'front-proxy-client'
export const KUBELET_CLIENT = 'kube-apiserver-kubelet-client'

/** Of node addresses, the one under which the API server reaches its kubelet: simulated nodes have all other addresses simulated. */
export const KUBELET_ADDRESS_TYPE = 'ExternalDNS'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const VALID_MS = 365 * 24 * 3600 * 1000
/** Clocks of one machine agree, but times in certificates are whole seconds. */
const EARLIER_MS = 60_000

/** Makes them in `<folder>/pki`, in about 0.1 s. */
export async function createPki(folder: string): Promise<Pki> {
  const library = await loaded()
  const [ca, frontProxy] = await Promise.all([
    authority(library, 'seatrial-ca'),
    authority(library, 'seatrial-front-proxy-ca'),
  ])
  const server = (name: string, names: readonly string[]) => ca.issue(name, { names })
  const [apiserver, proxyClient, kubeletClient] = await Promise.all([
    server('kube-apiserver', APISERVER_NAMES),
    frontProxy.issue(FRONT_PROXY_CLIENT, { client: true }),
    ca.issue(KUBELET_CLIENT, { client: true }),
  ])
  const at = join(folder, 'pki')
  mkdirSync(at, { recursive: true, mode: 0o700 })
  const texts: Readonly<Record<PkiFile, string>> = {
    'ca.crt': ca.cert,
    'front-proxy-ca.crt': frontProxy.cert,
    'apiserver.crt': apiserver.cert,
    'apiserver.key': apiserver.key,
    'front-proxy-client.crt': proxyClient.cert,
    'front-proxy-client.key': proxyClient.key,
    'apiserver-kubelet-client.crt': kubeletClient.cert,
    'apiserver-kubelet-client.key': kubeletClient.key,
  }
  for (const name of FILES) writeFileSync(join(at, name), texts[name], { mode: 0o600 })
  return {
    ca: ca.cert,
    frontProxyCa: frontProxy.cert,
    files: Object.fromEntries(FILES.map((name) => [name, join(at, name)])) as Record<PkiFile, string>,
    serving: (names) => server(names[0] ?? 'localhost', names),
  }
}

/** The flags by which kube-apiserver uses them: as a server, towards kubelets, and towards the servers of aggregated APIs. */
export function apiserverFlags({ files }: Pki): string[] {
  return [
    ...['--tls-cert-file', files['apiserver.crt'], '--tls-private-key-file', files['apiserver.key']],
    ...['--kubelet-certificate-authority', files['ca.crt']],
    ...['--kubelet-client-certificate', files['apiserver-kubelet-client.crt']],
    ...['--kubelet-client-key', files['apiserver-kubelet-client.key']],
    ...['--kubelet-preferred-address-types', `${KUBELET_ADDRESS_TYPE},InternalIP,Hostname`],
    ...['--proxy-client-cert-file', files['front-proxy-client.crt']],
    ...['--proxy-client-key-file', files['front-proxy-client.key']],
    ...['--requestheader-client-ca-file', files['front-proxy-ca.crt']],
    ...['--requestheader-allowed-names', FRONT_PROXY_CLIENT],
    ...['--requestheader-username-headers', 'X-Remote-User', '--requestheader-group-headers', 'X-Remote-Group'],
    ...['--requestheader-extra-headers-prefix', 'X-Remote-Extra-'],
  ]
}

const APISERVER_NAMES = [
  '127.0.0.1',
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  // the first address of the range of Services
  '10.96.0.1',
]

type Library = typeof x509

/** The library costs 0.1 s to load, so only those who need it do. It finds its parts by reflection, which must be there first. */
async function loaded(): Promise<Library> {
  await import('reflect-metadata')
  return await import('@peculiar/x509')
}

interface Authority {
  readonly cert: string
  issue(commonName: string, as: { client: true } | { names: readonly string[] }): Promise<KeyPair>
}

async function authority(library: Library, commonName: string): Promise<Authority> {
  const { KeyUsageFlags, X509CertificateGenerator } = library
  const keys = await newKeys()
  const own = await X509CertificateGenerator.createSelfSigned({
    ...{ name: `CN=${commonName}`, keys, signingAlgorithm: ALGORITHM, ...validity() },
    extensions: [
      new library.BasicConstraintsExtension(true, 0, true),
      new library.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature, true),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return {
    cert: `${own.toString('pem')}\n`,
    async issue(name, as) {
      const { privateKey, publicKey } = await newKeys()
      const usage = 'client' in as ? library.ExtendedKeyUsage.clientAuth : library.ExtendedKeyUsage.serverAuth
      const made = await X509CertificateGenerator.create({
        ...{ subject: `CN=${name}`, issuer: own.subject, publicKey, signingKey: keys.privateKey },
        ...{ signingAlgorithm: ALGORITHM, ...validity() },
        extensions: [
          new library.BasicConstraintsExtension(false, undefined, true),
          new library.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new library.ExtendedKeyUsageExtension([usage]),
          ...('names' in as ? [new library.SubjectAlternativeNameExtension(as.names.map(alternativeName))] : []),
        ],
      })
      const pkcs8 = await crypto.subtle.exportKey('pkcs8', privateKey)
      return { cert: `${made.toString('pem')}\n`, key: `${library.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n` }
    },
  }
}

const newKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])

const alternativeName = (value: string): x509.JsonGeneralName => ({
  type: /^\d+(\.\d+){3}$/.test(value) ? 'ip' : 'dns',
  value,
})

function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - EARLIER_MS), notAfter: new Date(now + VALID_MS) }
}
