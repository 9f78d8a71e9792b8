/** An image's name taken apart, with the registry and path that the runtime would ask. */
export interface NormalReference {
  /** The registry's host, with a port where one is named. */
  readonly domain: string
  /** `registry/path:tag@digest`; a name with neither tag nor digest is left so. */
  readonly full: string
}

/** A name that is no image reference; `message` says why, as the parser words it. */
export class InvalidReference extends Error {}

const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const DOMAIN = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const PATH = `${PATH_COMPONENT}(?:/${PATH_COMPONENT})*`
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const REFERENCE = new RegExp(`^${DOMAIN}/(${PATH})(?::\\w[\\w.-]{0,127})?(?:@(${DIGEST}))?$`)

const DIGEST_DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 }
const LONGEST_PATH = 255

/** Reads an image's name as the kubelet and the runtime do. Throws InvalidReference. */
// follows github.com/distribution/reference normalize.go ParseNormalizedNamed and reference.go Parse
export function normalReference(image: string): NormalReference {
  if (/^[a-f0-9]{64}$/.test(image))
    throw new InvalidReference(`invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`)
  const { domain, rest } = splitDomain(image)
  const name = rest.split(':')[0]!
  if (name.toLowerCase() !== name)
    throw new InvalidReference(`invalid reference format: repository name (${name}) must be lowercase`)
  const full = `${domain}/${rest}`
  const match = REFERENCE.exec(full)
  if (!match) throw new InvalidReference('invalid reference format')
  if (match[1]!.length > LONGEST_PATH)
    throw new InvalidReference(`repository name must not be more than ${LONGEST_PATH} characters`)
  if (match[2] !== undefined) checkDigest(match[2])
  return { domain, full }
}

/** The first part is a registry when it looks like a host; an upper-case one does, since no namespace may be. */
function splitDomain(image: string): { domain: string; rest: string } {
  const slash = image.indexOf('/')
  if (slash < 0) return { domain: 'docker.io', rest: `library/${image}` }
  const first = image.slice(0, slash)
  const isHost = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first
  if (!isHost) return { domain: 'docker.io', rest: image }
  const domain = first === 'index.docker.io' ? 'docker.io' : first
  const rest = image.slice(slash + 1)
  return { domain, rest: domain === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest }
}

// follows github.com/opencontainers/go-digest digest.go Validate
function checkDigest(digest: string): void {
  const [algorithm, digits] = digest.split(':') as [string, string]
  const length = DIGEST_DIGITS[algorithm]
  if (length === undefined) throw new InvalidReference('unsupported digest algorithm')
  if (digits.length !== length) throw new InvalidReference('invalid checksum digest length')
  if (!/^[a-f0-9]+$/.test(digits)) throw new InvalidReference('invalid checksum digest format')
}
