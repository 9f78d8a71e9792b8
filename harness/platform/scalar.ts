/** What a YAML scalar is to Kubernetes. */
export type ScalarValue = string | number | boolean | null

const WORDS = new Map<string, ScalarValue>([
  ...words(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'], true),
  ...words(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'], false),
  ...words(['', '~', 'null', 'Null', 'NULL'], null),
  ...words(['.nan', '.NaN', '.NAN'], Number.NaN),
  ...words(['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'], Number.POSITIVE_INFINITY),
  ...words(['-.inf', '-.Inf', '-.INF'], Number.NEGATIVE_INFINITY),
])

/**
 * Reads a plain (unquoted) scalar as kubectl and the API server do: by YAML 1.1's rules, so that `on` is a boolean and `0644` is
 * octal, but with neither base-60 numbers nor dates. Follows sigs.k8s.io/yaml/goyaml.v2/resolve.go.
 */
export function plainScalar(text: string): ScalarValue {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  if (!/^[-+.0-9]/.test(text)) return text
  const plain = text.startsWith('.') ? text : text.replaceAll('_', '')
  const integer = /^([-+]?)(?:0x([0-9a-f]+)|0b([01]+)|0o?([0-7]+)|(0|[1-9][0-9]*))$/i.exec(plain)
  if (integer) {
    const [, sign, hex, binary, octal, decimal] = integer
    const magnitude = hex
      ? Number.parseInt(hex, 16)
      : binary
        ? Number.parseInt(binary, 2)
        : octal
          ? Number.parseInt(octal, 8)
          : Number(decimal)
    return sign === '-' && magnitude !== 0 ? -magnitude : magnitude
  }
  return /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?$/i.test(plain) ? Number(plain) : text
}

function words(texts: readonly string[], value: ScalarValue): [string, ScalarValue][] {
  return texts.map((text) => [text, value])
}
