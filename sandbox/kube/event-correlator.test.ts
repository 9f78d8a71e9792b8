import { describe, expect, it } from 'vitest'
import { seconds } from '../world/time.ts'
import { EventCorrelator } from './event-correlator.ts'

const said = (message: string, about = 'Pod/1') => ({ about, level: 'Warning', reason: 'BackOff', message })

describe('EventCorrelator', () => {
  it('counts the same event again', () => {
    const correlator = new EventCorrelator()
    const [first, second] = [correlator.correlate(said('a'), 0), correlator.correlate(said('a'), 1)]
    expect(first).toMatchObject({ action: 'create', message: 'a' })
    expect(second).toMatchObject({ action: 'count', message: 'a', count: 2 })
    expect('told' in first && 'told' in second && first.told === second.told).toBe(true)
    expect(correlator.correlate(said('a', 'Pod/2'), 2)).toMatchObject({ action: 'create' })
  })

  it('combines from the tenth different message on, until ten quiet minutes have passed', () => {
    const correlator = new EventCorrelator()
    const told = Array.from({ length: 12 }, (_, i) => correlator.correlate(said(`m${i}`), i))
    expect(told.slice(0, 9).every((t) => t.action === 'create' && !t.message.startsWith('('))).toBe(true)
    expect(told[9]).toMatchObject({ action: 'create', message: '(combined from similar events): m9' })
    expect(told[11]).toMatchObject({ action: 'count', message: '(combined from similar events): m11', count: 3 })
    expect(correlator.correlate(said('later'), seconds(601))).toMatchObject({ action: 'create', message: 'later' })
  })

  it('tells 25 of one object, then one in five minutes', () => {
    const correlator = new EventCorrelator()
    const told = Array.from({ length: 30 }, () => correlator.correlate(said('same'), 0).action)
    expect(told.filter((action) => action !== 'drop')).toHaveLength(25)
    expect(correlator.correlate(said('same'), seconds(299)).action).toBe('drop')
    expect(correlator.correlate(said('same'), seconds(601)).action).not.toBe('drop')
    expect(correlator.correlate(said('same', 'Pod/2'), 0).action).toBe('create')
  })

  it('only counts without limits', () => {
    const correlator = new EventCorrelator({ limits: false })
    const told = Array.from({ length: 40 }, (_, i) => correlator.correlate(said(`m${i}`), 0))
    expect(told.every((t) => t.action === 'create')).toBe(true)
  })
})
