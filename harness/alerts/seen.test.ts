import { describe, expect, it } from 'vitest'
import type { JournalRecord } from '../../sandbox/journal/record.ts'
import { minutes, seconds } from '../../sandbox/world/time.ts'
import { alertsSeen } from './seen.ts'
import type { SurveyedAlert } from './survey.ts'
import { alertLines } from './text.ts'

const fault = (at: number, detail = 'a node goes dark'): JournalRecord => ({
  type: 'fault',
  at,
  fault: 'loseNode',
  step: 'inject',
  target: 'default/chat',
  detail,
})

const request = (at: number, outcome: 'ok' | 'refused' | 'unfinished', target = 'default/chat'): JournalRecord => ({
  type: 'request',
  at,
  id: `r${at}`,
  target,
  outcome,
  intendedAt: at,
  promptTokens: 1,
  outputTokens: 1,
})

const told = (
  at: number,
  state: 'pending' | 'firing' | 'inactive' | 'failed',
  more: { alert?: string; pod?: string; activeAt?: number; error?: string } = {},
): JournalRecord => {
  const { alert = 'Down', pod = 'a', activeAt = at, error } = more
  return { type: 'alert', at, by: 'alerting-0', alert, labels: { pod }, state, activeAt, ...(error ? { error } : {}) }
}

const DOWN: SurveyedAlert = { alert: 'Down', severity: 'page', forUs: minutes(5) }

const lines = (records: readonly JournalRecord[], alerts: readonly SurveyedAlert[] = [DOWN]) => {
  const seen = alertsSeen(records, { alerts, target: 'default/chat' })
  return seen && alertLines(seen)
}

describe('what alerts told', () => {
  it('nothing without alerts, and nothing where nothing was done', () => {
    expect(lines([fault(0)], [])).toBeUndefined()
    expect(lines([request(1, 'refused')])).toBeUndefined()
  })

  it('when one fired, after the fault and after users were hurt', () => {
    expect(
      lines([
        fault(seconds(60)),
        request(seconds(70), 'refused'),
        told(seconds(90), 'pending'),
        request(seconds(100), 'ok'),
        request(seconds(400), 'refused'),
        told(seconds(390), 'firing', { activeAt: seconds(90) }),
        told(seconds(500), 'inactive', { activeAt: seconds(90) }),
      ]),
    ).toEqual(['alert Down (page) fired 5m30s after the fault, 5m20s after the first request failed, for 1m50s'])
  })

  it('that none fired while requests failed, and how long an expression held', () => {
    expect(
      lines([
        fault(0),
        request(seconds(10), 'refused'),
        told(seconds(30), 'pending'),
        told(seconds(130), 'inactive', { activeAt: seconds(30) }),
        request(seconds(280), 'refused'),
        request(seconds(290), 'refused', 'default/other'),
        request(seconds(300), 'unfinished'),
      ]),
    ).toEqual([
      'no alert fired in the 4m30s in which requests failed (2 of 3)',
      'never fired: Down (held for 1m40s of the 5m00s it must)',
    ])
  })

  it('one that fires after all is over is no warning of it', () => {
    const records = [
      fault(0),
      request(seconds(10), 'refused'),
      request(seconds(20), 'refused'),
      told(seconds(400), 'firing'),
    ]
    expect(lines(records)).toEqual([
      'alert Down (page) fired 6m40s after the fault, 6m30s after the first request failed',
      'no alert fired in the 10s in which requests failed (2 of 2)',
    ])
  })

  it('fires as long as one of its series does', () => {
    const two = [
      told(1e6, 'firing', { pod: 'a' }),
      told(2e6, 'firing', { pod: 'b' }),
      told(3e6, 'inactive', { pod: 'a' }),
    ]
    expect(lines([fault(0), ...two, told(61e6, 'inactive', { pod: 'b' })])).toEqual([
      'alert Down (page) fired 1s after the fault, for 1m00s',
    ])
  })

  it('before the fault, and not over by then', () => {
    expect(lines([told(0, 'firing'), fault(seconds(60)), request(seconds(70), 'ok')])).toEqual([
      'alert Down (page) fired before the fault already',
    ])
    expect(lines([told(0, 'firing'), told(5, 'inactive'), fault(seconds(60))])).toEqual([
      'no alert fired, and no request failed',
      'never fired: Down',
    ])
  })

  it('since which of several faults', () => {
    expect(lines([fault(0, 'one'), fault(seconds(60), 'two'), told(seconds(90), 'firing')])).toEqual([
      'alert Down (page) fired 30s after «two»',
    ])
  })

  it('what was not evaluated, and what cannot be', () => {
    const others: SurveyedAlert[] = [
      { alert: 'Slip', forUs: 0, left: { kind: 'never', why: '…' } },
      { alert: 'Disk', forUs: 0, left: { kind: 'notSimulated', why: '…' } },
    ]
    expect(lines([told(0, 'failed', { error: 'many-to-many' }), fault(1)], [DOWN, ...others])).toEqual([
      'no alert fired, and no request failed',
      'never fired: Down (its expression fails: many-to-many)',
      'can never fire: Slip',
      'not evaluated: Disk',
    ])
  })
})
