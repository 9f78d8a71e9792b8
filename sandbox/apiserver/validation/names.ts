// Follows k8s.io/apimachinery/pkg/api/validate/content and pkg/util/validation/validation.go: each check gives messages, none when sound.

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`)
const LABEL_RE = whole(LABEL)
const SUBDOMAIN_RE = whole(SUBDOMAIN)
const KEY_RE = whole(KEY)

const tooLong = (length: number): string => `must be no more than ${length} characters`
/** Label keys and values are measured by newer code, in other words. */
const tooManyBytes = (length: number): string => `must be no more than ${length} bytes`
const EMPTY = 'must be non-empty'

function regexMessage(message: string, pattern: string, ...examples: string[]): string {
  const given = examples.map((example) => `'${example}', `).join(' or ')
  return examples.length === 0
    ? `${message} (regex used for validation is '${pattern}')`
    : `${message} (e.g. ${given}regex used for validation is '${pattern}')`
}

export function dns1123Label(value: string): string[] {
  const out = value.length > 63 ? [tooLong(63)] : []
  if (LABEL_RE.test(value)) return out
  if (SUBDOMAIN_RE.test(value)) return [...out, 'must not contain dots']
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
  return [...out, regexMessage(message, LABEL, 'my-name', '123-abc')]
}

export function dns1123Subdomain(value: string, tooLarge = tooLong): string[] {
  const out = value.length > 253 ? [tooLarge(253)] : []
  if (SUBDOMAIN_RE.test(value)) return out
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
  return [...out, regexMessage(message, SUBDOMAIN, 'example.com')]
}

const KEY_MESSAGE = regexMessage(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  KEY,
  'MyName',
  'my.name',
  '123-abc',
)

/** A label key, which upstream also calls a qualified name. */
export function qualifiedName(value: string): string[] {
  const parts = value.split('/')
  if (parts.length > 2)
    return [
      `a valid label key ${KEY_MESSAGE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  const name = parts.at(-1)!
  const out: string[] = []
  if (parts.length === 2) {
    const prefix = parts[0]!
    out.push(
      ...(prefix === '' ? [EMPTY] : dns1123Subdomain(prefix, tooManyBytes)).map((message) => `prefix part ${message}`),
    )
  }
  if (name === '') out.push(`name part ${EMPTY}`)
  else if (name.length > 63) out.push(`name part ${tooManyBytes(63)}`)
  if (!KEY_RE.test(name)) out.push(`name part ${KEY_MESSAGE}`)
  return out
}

export function labelValue(value: string): string[] {
  const out = value.length > 63 ? [tooManyBytes(63)] : []
  if (value === '' || KEY_RE.test(value)) return out
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
  return [...out, regexMessage(message, `(${KEY})?`, 'MyValue', 'my_value', '12345')]
}

export const portNumber = (port: number): string[] =>
  port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive']

export function portName(name: string): string[] {
  const out: string[] = []
  if (name.length > 15) out.push(tooLong(15))
  if (!/^[-a-z0-9]+$/.test(name)) out.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) out.push('must contain at least one letter (a-z)')
  if (name.includes('--')) out.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) out.push('must not begin or end with a hyphen')
  return out
}

export const isPercent = (value: string): boolean => /^[0-9]+%$/.test(value)

export const percent = (value: string): string[] =>
  isPercent(value)
    ? []
    : [
        regexMessage(
          "a valid percent string must be a numeric string followed by an ending '%'",
          '[0-9]+%',
          '1%',
          '93%',
        ),
      ]

export const envName = (name: string): string[] =>
  /^[\x20-\x3c\x3e-\x7e]*$/.test(name)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]

export const headerName = (name: string): string[] =>
  /^[-A-Za-z0-9]+$/.test(name)
    ? []
    : [
        regexMessage(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          '[-A-Za-z0-9]+',
          'X-Header-Name',
        ),
      ]

/** A prefix that a suffix will follow may end in a dash. Follows pkg/api/validation/generic.go maskTrailingDash. */
export const asPrefix = (name: string): string =>
  name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name
