import { expect, it } from 'vitest'
import { parseConfig } from '../platform/config/parse.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Verdict } from '../verdict/decide.ts'
import { checkWaivers, Waivers } from './waivers.ts'

const configOf = (...waivers: string[]) =>
  parseConfig({ file: 'seatrial.yaml', text: `waivers:\n${waivers.map((one) => `  - { ${one} }\n`).join('')}` }, LIMITS)

const WAIVER = 'scenario: drain, target: chat, reason: known, owner: ann, expires: 2027-01-31'

const verdict = (outcome: Verdict['outcome'], cause = 'x'): Verdict => ({
  scenario: 'drain',
  subject: 'prod/chat',
  outcome,
  trials: [],
  invalid: outcome === 'INVALID' ? [{ code: 'UNMODELLED', what: '', fix: '' }] : [],
  ...(outcome === 'FAIL' ? { finding: { cause, what: '', at: '', evidence: [], triedInVain: [], replay: '' } } : {}),
})

const waived = (waiver: string, given: Verdict, today = '2026-11-21') => {
  const waivers = new Waivers(configOf(waiver).config, today)
  const { outcome } = waivers.apply(given)
  return [outcome, ...waivers.remarks().map(({ kind }) => kind)]
}

it.each([
  ['by scenario and target', WAIVER, verdict('FAIL'), '2026-11-21', ['WAIVED']],
  [
    'by namespace and name',
    WAIVER.replace('target: chat', 'target: prod/chat'),
    verdict('FAIL'),
    '2026-11-21',
    ['WAIVED'],
  ],
  ['on its last day', WAIVER, verdict('FAIL'), '2027-01-31', ['WAIVED']],
  ['not when it has expired', WAIVER, verdict('FAIL'), '2027-02-01', ['FAIL', 'expired']],
  ['not of another target', WAIVER.replace('chat', 'at'), verdict('FAIL'), '2026-11-21', ['FAIL']],
  ['not of another cause', `${WAIVER}, cause: other`, verdict('FAIL'), '2026-11-21', ['FAIL', 'unmatched']],
  ['of its cause', `${WAIVER}, cause: x`, verdict('FAIL'), '2026-11-21', ['WAIVED']],
  ['not INVALID', WAIVER, verdict('INVALID'), '2026-11-21', ['INVALID', 'unmatched']],
  [
    'INVALID when it says so',
    `${WAIVER}, outcome: INVALID, cause: UNMODELLED`,
    verdict('INVALID'),
    '2026-11-21',
    ['WAIVED'],
  ],
  [
    'not a FAIL when it is for INVALID',
    `${WAIVER}, outcome: INVALID`,
    verdict('FAIL'),
    '2026-11-21',
    ['FAIL', 'unmatched'],
  ],
  ['not UNSTABLE', WAIVER, verdict('UNSTABLE'), '2026-11-21', ['UNSTABLE', 'unmatched']],
  ['nothing that passes', WAIVER, verdict('PASS'), '2026-11-21', ['PASS', 'unmatched']],
] as const)('waives %s', (_, waiver, given, today, expected) => expect(waived(waiver, given, today)).toEqual(expected))

it('a waiver of what was not tried is not said to match nothing', () => {
  expect(new Waivers(configOf(WAIVER).config, '2026-11-21').remarks()).toEqual([])
})

it('a remark says where the waiver stands, and whose it is', () => {
  const waivers = new Waivers(configOf(WAIVER).config, '2027-02-01')
  waivers.apply(verdict('FAIL'))
  expect(waivers.remarks()[0]).toMatchObject({
    at: { file: 'seatrial.yaml', line: 2, column: 5 },
    what: expect.stringContaining('(ann) expired on 2027-01-31'),
  })
})

it.each([
  ['a day that is none', WAIVER.replace('2027-01-31', '2027-02-30'), /waivers\[0\]\.expires: not a day: 2027-02-30/],
  ['no owner', WAIVER.replace('owner: ann, ', ''), /waivers\[0\]\.owner: is required/],
  ['no last day', WAIVER.replace(', expires: 2027-01-31', ''), /waivers\[0\]\.expires: is required/],
  ['another outcome', `${WAIVER}, outcome: PASS`, /must be one of FAIL, INVALID/],
])('%s is an error', (_, waiver, message) => expect(configOf(waiver).errors[0]!.message).toMatch(message))

it('a scenario that is not there is an error with a suggestion', () => {
  expect(() => checkWaivers(configOf(WAIVER).config, ['drains', 'other'])).toThrow(
    /seatrial\.yaml:2:17 {2}waivers\[0\]\.scenario: there is no scenario "drain"[\s\S]*Did you mean "drains"/,
  )
})
