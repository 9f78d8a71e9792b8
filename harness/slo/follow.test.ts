import { describe, expect, it } from 'vitest'
import type { JournalRecord, RequestRecord } from '../../sandbox/journal/record.ts'
import { minutes, seconds } from '../../sandbox/world/time.ts'
import type { CheckContext } from '../expectations/check.ts'
import { sloHeld } from '../expectations/slo-held.ts'
import type { SloParams } from './follow.ts'
import type { Objective } from './objective.ts'

/** A request a second for five minutes, those of the second minute ended otherwise; a fault at one minute. */
function judged(params: Partial<SloParams>, outcome: RequestRecord['outcome'], objective: Partial<Objective> = {}) {
  const slo = { kind: 'availability', share: 0.99, origin: 'given', ...objective } as Objective
  const context = {
    subject: { key: 'default/chat' },
    slos: [slo],
    tenants: [],
    phase: () => 'judge',
    now: () => minutes(5),
    openRequests: () => [],
  } as unknown as CheckContext
  const fold = sloHeld.start({ objective: 'availability', ...params }, context)
  const record = (one: object) => fold.record(one as JournalRecord, undefined)
  record({ type: 'phase', phase: 'timeline', at: 0 })
  for (let i = 0; i < 300; i++) {
    if (i === 60) record({ type: 'fault', step: 'inject', at: seconds(60) })
    const bad = i >= 60 && i < 120
    record({
      type: 'request',
      target: 'default/chat',
      id: `r${i}`,
      at: seconds(i),
      intendedAt: seconds(i),
      outcome: bad ? outcome : 'ok',
      ttftUs: 1000,
      e2eUs: 2000,
      promptTokens: 1,
      outputTokens: 2,
    })
  }
  return fold.result()
}

describe('the objectives a check looks at', () => {
  it('count from the start of the load, or from some time after a fault', () => {
    expect(judged({}, 'timeout').broken?.cause).toBe('slo-availability')
    expect(judged({ afterFault: '30s' }, 'timeout').broken?.cause).toBe('slo-availability')
    expect(judged({ afterFault: '60s' }, 'timeout')).toEqual({ samples: 180, summary: expect.any(String) })
  })

  it('leave out ends of requests that others judge', () => {
    expect(judged({ leaveOut: ['reset'] }, 'timeout').broken).toBeDefined()
    expect(judged({ leaveOut: ['timeout'] }, 'timeout')).toEqual({ samples: 240, summary: expect.any(String) })
  })

  it('need no more requests than there are where an objective is assumed and none was bad', () => {
    const strict = { share: 0.999 } as Partial<Objective>
    expect(judged({}, 'ok', strict).samples).toBe(0)
    expect(judged({}, 'ok', { ...strict, origin: 'assumed' })).toMatchObject({ samples: 300 })
    expect(judged({}, 'timeout', { ...strict, origin: 'assumed' }).samples).toBe(0)
  })
})
