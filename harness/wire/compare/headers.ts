import type { Difference } from './compare.ts'
import { header, type Recording, type WireAnswer } from './recording.ts'
import type { Relaxation } from './relaxations.ts'

const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/

/** Names as written and in order, and the values of all but those that the moment or the body decides. */
export function compareHeaders(
  { request, answer }: Recording,
  actual: WireAnswer,
  used: Set<Relaxation>,
): readonly Difference[] {
  const names = (of: WireAnswer) => of.headers.map(([name]) => name).join(', ')
  if (names(answer) !== names(actual)) return [{ where: 'headers', expected: names(answer), actual: names(actual) }]
  const sentId = Object.keys(request.headers).some((name) => name.toLowerCase() === 'x-request-id')
  return answer.headers.flatMap(([name, expected], i) => {
    const value = actual.headers[i]![1]
    const wrong = (what: string) => [{ where: `header ${name}`, expected: what, actual: value }]
    switch (name.toLowerCase()) {
      case 'date':
        used.add('date')
        return HTTP_DATE.test(value) ? [] : wrong('an HTTP date')
      case 'content-length':
        return lengthIsRight(request.method, expected, value, actual, used) ? [] : wrong(lengthOf(actual))
      case 'allow':
        if (value !== expected && sorted(value) === sorted(expected)) {
          used.add('allow')
          return []
        }
        break
      case 'endpoint-load-metrics':
        used.add('load')
        return unmeasured(value) === unmeasured(expected) ? [] : wrong(expected)
      case 'x-request-id':
        if (sentId) break
        used.add('requestId')
        return /^[0-9a-f]{32}$/.test(value) ? [] : wrong('32 hexadecimal digits')
    }
    return value === expected ? [] : wrong(expected)
  })
}

const sorted = (list: string) => list.split(', ').sort().join(', ')
const unmeasured = (load: string) => load.replace(/(kv_cache_usage_perc"?[=:] ?)\d+(?:\.\d+)?(?:e-\d+)?/, '$1…')

/** The answer to HEAD has no body, but the length of one. */
function lengthIsRight(
  method: string,
  expected: string,
  value: string,
  actual: WireAnswer,
  used: Set<Relaxation>,
): boolean {
  if (method === 'HEAD') return value === expected
  if (value !== expected) used.add('length')
  return value === lengthOf(actual)
}

const lengthOf = (answer: WireAnswer) =>
  answer.body === undefined ? (header(answer, 'content-length') ?? '') : String(Buffer.byteLength(answer.body))
