import { anchored } from './regexp.ts'

export type MatchType = '=' | '!=' | '=~' | '!~'

/** Says which values of one label a selector takes. A series without the label has the value ''. */
export interface Matcher {
  readonly name: string
  readonly type: MatchType
  readonly value: string
  matches(value: string): boolean
}

/** Regular expressions are RE2's and match the whole value. Throws a `RegexpError`. Follows model/labels/matcher.go. */
export function matcher(name: string, type: MatchType, value: string): Matcher {
  if (type === '=') return { name, type, value, matches: (v) => v === value }
  if (type === '!=') return { name, type, value, matches: (v) => v !== value }
  const regexp = anchored(value)
  const wanted = type === '=~'
  return { name, type, value, matches: (v) => regexp.test(v) === wanted }
}
