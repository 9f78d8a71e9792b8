import { anchored } from '../tsdb/regexp.ts'
import { executionError } from './errors.ts'
import { unique, type Vector } from './vector.ts'

/** Any text that is UTF-8. Follows IsValidLabelName of prometheus/common. */
export const isLabelName = (name: string): boolean => name !== '' && !name.includes('\ufffd')

/** label_replace. Follows evalLabelReplace of promql/functions.go. Throws when the expression is none. */
export function labelReplace(
  target: string,
  replacement: string,
  source: string,
  pattern: string,
): (vector: Vector) => Vector {
  let regexp: RegExp
  try {
    regexp = anchored(pattern)
  } catch {
    throw executionError(`invalid regular expression in label_replace(): ${pattern}`)
  }
  if (!isLabelName(target)) throw executionError(`invalid destination label name in label_replace(): ${target}`)
  const expand = template(replacement)
  return (vector) =>
    unique(
      vector.map((element) => {
        const match = regexp.exec(element.labels.get(source))
        return match ? { ...element, labels: element.labels.with({ [target]: expand(match) }) } : element
      }),
    )
}

/** label_join. Follows evalLabelJoin of promql/functions.go. */
export function labelJoin(target: string, separator: string, sources: readonly string[]): (vector: Vector) => Vector {
  const nameless = sources.find((source) => !isLabelName(source))
  if (nameless !== undefined) throw executionError(`invalid source label name in label_join(): ${nameless}`)
  if (!isLabelName(target)) throw executionError(`invalid destination label name in label_join(): ${target}`)
  return (vector) =>
    unique(
      vector.map(({ labels, value }) => ({
        value,
        labels: labels.with({ [target]: sources.map((source) => labels.get(source)).join(separator) }),
      })),
    )
}

/** Go's Regexp.Expand: `$1`, `$name`, `${name}` and `$$`; a name runs as far as it can; what was not captured is empty. */
export function template(text: string): (match: RegExpExecArray) => string {
  const parts = [...text.matchAll(/\$(?:(\$)|(\w+)|\{(\w+)\})|([^$]+|\$)/g)]
  return (match) =>
    parts
      .map(([, dollar, bare, braced, plain]) => {
        if (plain !== undefined || dollar) return plain ?? '$'
        const name = (bare ?? braced)!
        return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? ''
      })
      .join('')
}
