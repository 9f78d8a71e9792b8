/** What a run of k6 came to. */
export type K6End =
  /** It ran to its end and no threshold was crossed: says nothing by itself, as thresholds without samples pass. */
  | 'ended'
  | 'slo-breached'
  /** The script or its options are wrong. */
  | 'bad-script'
  | 'interrupted'
  /** The script said so (`test.fail()`). */
  | 'failed'
  /** It says nothing about the server. */
  | 'broken'

// follows errext/exitcodes/codes.go of k6
const ENDS: Readonly<Record<number, K6End>> = {
  0: 'ended',
  99: 'slo-breached',
  104: 'bad-script',
  105: 'interrupted',
  107: 'bad-script',
  110: 'failed',
}

/** What k6's exit code means; null is a signal's. */
export const endOf = (code: number | null): K6End => (code === null ? 'broken' : (ENDS[code] ?? 'broken'))

/** seatrial's exit code for it. */
export const EXIT_CODES: Readonly<Record<K6End, number>> = {
  ended: 0,
  failed: 1,
  'bad-script': 2,
  broken: 5,
  'slo-breached': 99,
  interrupted: 130,
}

/** What people read of it. */
export function endText(code: number | null, said: string): string {
  const meaning = code === null ? 'a signal' : (MEANINGS[code] ?? `code ${code}`)
  const last = said.trim().split('\n').slice(-LINES_SHOWN).join('\n')
  return `k6 ended with ${meaning}${last ? `:\n${last}` : ''}`
}

const LINES_SHOWN = 8
const MEANINGS: Readonly<Record<number, string>> = {
  99: '99: thresholds were crossed',
  100: '100: setup() took too long',
  101: '101: teardown() took too long',
  102: '102: a timeout',
  103: '103: stopped over its REST API',
  104: '104: its options are not valid',
  105: '105: it was interrupted',
  106: '106: its REST API did not start',
  107: '107: the script threw',
  108: '108: the script called test.abort()',
  109: '109: it crashed',
  110: '110: the script called test.fail()',
}
