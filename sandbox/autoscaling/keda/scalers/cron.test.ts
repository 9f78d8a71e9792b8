import { expect, test } from 'vitest'
import { cronScaler } from './cron.ts'
import { CronSchedule } from './cron-schedule.ts'
import { TRIAL_START, Zone } from './zone.ts'

const unix = (iso: string) => Date.parse(iso) / 1000
const isoOf = (at: number | undefined) => (at === undefined ? 'never' : new Date(at * 1000).toISOString().slice(0, 16))
const next = (spec: string, after: string, zone: string) =>
  isoOf(new CronSchedule(spec).next(unix(after), new Zone(zone)))

test('times follow the clock on the wall across both changes of it', () => {
  // Berlin: 2026-03-29 02:00 → 03:00, 2026-10-25 03:00 → 02:00
  expect(next('0 8 * * *', '2026-03-28T08:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T06:00')
  expect(next('0 8 * * *', '2026-03-27T08:00:00Z', 'Europe/Berlin')).toBe('2026-03-28T07:00')
  expect(next('0 8 * * *', '2026-10-24T08:00:00Z', 'Europe/Berlin')).toBe('2026-10-25T07:00')
  // a time that does not exist is passed over, one that comes twice counts twice
  expect(next('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-30T00:30')
  expect(next('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin')).toBe('2026-10-25T00:30')
  expect(next('30 2 * * *', '2026-10-25T00:30:00Z', 'Europe/Berlin')).toBe('2026-10-25T01:30')
})

test('a day of the month or a day of the week, unless one is a star', () => {
  expect(next('0 0 13 * 5', '2026-01-01T12:00:00Z', 'UTC')).toBe('2026-01-02T00:00')
  expect(next('0 0 13 * *', '2026-01-01T12:00:00Z', 'UTC')).toBe('2026-01-13T00:00')
  expect(next('0 0 31 2 *', '2026-01-01T12:00:00Z', 'UTC')).toBe('never')
  expect(next('0 0 29 feb ?', '2026-01-01T12:00:00Z', 'UTC')).toBe('2028-02-29T00:00')
})

const windowAt = (start: string, end: string, timezone: string) => {
  const clock = { now: 0 }
  const scaler = cronScaler(
    2,
    { type: 'cron', metadata: { start, end, timezone, desiredReplicas: '4' } },
    {
      get now() {
        return clock.now
      },
    },
  )
  const at = (iso: string) => {
    clock.now = (unix(iso) - TRIAL_START) * 1e6
    return scaler.measure().next().value as unknown as { active: boolean; values: { milli: number }[] }
  }
  return { scaler, at }
}

test('inside the window it asks for the replicas, outside for none', () => {
  const { scaler, at } = windowAt('0 8 * * 1-5', '0 18 * * 1-5', 'Europe/Berlin')
  expect(scaler.metricSpec).toMatchObject({
    external: { metric: { name: 's2-cron-Europe-Berlin-08xx1-5-018xx1-5' }, target: { averageValue: '1' } },
  })
  // Friday before the clock changes, Monday after
  expect(at('2026-03-27T06:59:59Z').active).toBe(false)
  expect(at('2026-03-27T07:00:00Z')).toMatchObject({ active: true, values: [{ milli: 4000 }] })
  expect(at('2026-03-27T17:00:00Z')).toMatchObject({ active: false, values: [{ milli: 0 }] })
  expect(at('2026-03-30T05:59:59Z').active).toBe(false)
  expect(at('2026-03-30T06:00:00Z').active).toBe(true)
})

test('a window over midnight', () => {
  const { at } = windowAt('0 22 * * *', '0 6 * * *', 'UTC')
  expect(at('2026-01-01T23:00:00Z').active).toBe(true)
  expect(at('2026-01-02T05:59:59Z').active).toBe(true)
  expect(at('2026-01-02T06:00:00Z').active).toBe(false)
})

test('what is wrong is said as KEDA says it', () => {
  const made = (metadata: Record<string, string>) => () => cronScaler(0, { type: 'cron', metadata }, { now: 0 })
  expect(made({ start: '0 8 * *', end: '0 9 * * *', timezone: 'UTC', desiredReplicas: '1' })).toThrow(
    'error parsing cron metadata: error parsing start schedule: expected exactly 5 fields, found 4: [0 8 * *]',
  )
  expect(made({ start: '0 8 * * *', end: '0 25 * * *', timezone: 'UTC', desiredReplicas: '1' })).toThrow(
    'error parsing end schedule: end of range (25) above maximum (23): 25',
  )
  expect(made({ start: '0 8 * * *', end: '0 9 * * *', timezone: 'UTC', desiredReplicas: '0' })).toThrow(
    'no desiredReplicas specified',
  )
  expect(() => windowAt('0 8 * * *', '0 9 * * *', 'Mars/Olympus').at('2026-01-01T00:00:00Z')).toThrow(
    'unable to load timezone: unknown time zone Mars/Olympus',
  )
})
