import { expect, it } from 'vitest'
import type { JournalRecord } from '../../sandbox/journal/record.ts'
import { minutes } from '../../sandbox/world/time.ts'
import type { SurveyedAlert } from '../alerts/survey.ts'
import type { CheckContext } from './check.ts'
import { outageAlerted } from './outage-alerted.ts'

const BLIND: SurveyedAlert = { alert: 'Blind', forUs: minutes(5) }
const DISK: SurveyedAlert = { alert: 'Disk', forUs: 0, left: { kind: 'notSimulated', why: '' } }

const cut = (at: number, step: 'inject' | 'heal'): JournalRecord => ({
  type: 'fault',
  at: minutes(at),
  fault: 'cutMetrics',
  step,
  target: '',
})
const fires = (at: number, since: number): JournalRecord => ({
  type: 'alert',
  at: minutes(at),
  by: '',
  alert: 'Blind',
  labels: {},
  state: 'firing',
  activeAt: minutes(since),
})
const tick = (at: number): JournalRecord => ({ type: 'phase', at: minutes(at), phase: 'converge' })

function judged(alerts: readonly SurveyedAlert[], told: readonly JournalRecord[]): string {
  const context = { alerts, subject: { key: 'default/chat' } } as unknown as CheckContext
  const fold = outageAlerted.start({ since: 'cutMetrics', within: '10m' }, context)
  const cuts = [cut(9, 'inject'), cut(19, 'heal'), cut(21, 'inject'), cut(31, 'heal'), tick(32)]
  for (const record of [...cuts, ...told].sort((a, b) => a.at - b.at)) fold.record(record, undefined)
  const { broken, summary = '', samples } = fold.result()
  expect(samples).toBeGreaterThan(0)
  return broken ? `${broken.cause} at ${broken.at / 60e6}m` : summary
}

it.each([
  ['none is among the manifests', [], [], 'not asked: no alert is among the manifests'],
  ['none fires', [BLIND], [], 'outage-not-alerted at 31m'],
  ['one fires in the first outage', [BLIND], [fires(15, 9.5)], 'alert Blind fired 6m00s after it began'],
  ['one fires in the second', [BLIND], [fires(27, 21.5)], 'alert Blind fired 6m00s after it began'],
  ['one fires too late', [BLIND], [fires(31.5, 21.5)], 'outage-not-alerted at 31m'],
  ['one fires for what was before', [BLIND], [fires(10, 5)], 'outage-not-alerted at 31m'],
  ['one that is not simulated might have', [BLIND, DISK], [], 'not judged: Disk not simulated'],
  [
    'one fires beside one that is not simulated',
    [BLIND, DISK],
    [fires(27, 22)],
    'alert Blind fired 6m00s after it began',
  ],
] as const)('%s', (_, alerts, told, expected) => {
  expect(judged(alerts, told)).toBe(expected)
})
