import { KedaError } from '../errors.ts'
import { type UnixSeconds, Zone } from './zone.ts'

/**
 * Five fields of cron: minute, hour, day of month, month, day of week. Follows github.com/robfig/cron/v3 (parser.go, spec.go),
 * which KEDA uses: times in a gap of the clock are passed over, those that come twice count twice.
 */
export class CronSchedule {
  private readonly minute: Field
  private readonly hour: Field
  private readonly day: Field
  private readonly month: Field
  private readonly weekday: Field
  private readonly ownZone: Zone | undefined

  /** Throws a KedaError. */
  constructor(text: string) {
    if (text === '') throw new KedaError('empty spec string')
    const [, zone, rest] = /^(?:CRON_)?TZ=(\S*)\s+(.*)$/.exec(text) ?? [undefined, undefined, text]
    this.ownZone = zone === undefined ? undefined : namedZone(zone)
    if (rest!.startsWith('@')) throw new KedaError(`parser does not accept descriptors: ${rest}`)
    const fields = rest!.split(/\s+/).filter(Boolean)
    if (fields.length !== 5)
      throw new KedaError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)
    this.minute = parseField(fields[0]!, { min: 0, max: 59 })
    this.hour = parseField(fields[1]!, { min: 0, max: 23 })
    this.day = parseField(fields[2]!, { min: 1, max: 31 })
    this.month = parseField(fields[3]!, { min: 1, max: 12, names: MONTHS })
    this.weekday = parseField(fields[4]!, { min: 0, max: 6, names: WEEKDAYS })
  }

  /** The first moment after `after` at which all fields match; undefined when five years have none. */
  next(after: UnixSeconds, inZone: Zone): UnixSeconds | undefined {
    const walk = new Walk(Math.floor(after) + 1, this.ownZone ?? inZone)
    const lastYear = walk.now.year + YEARS
    while (walk.now.year <= lastYear) if (this.advance(walk)) return walk.at
    return undefined
  }

  /** One pass over the fields; false when a larger one has to be looked at again. */
  private advance(walk: Walk): boolean {
    while (!this.month.has(walk.now.month)) {
      walk.reset({ day: 1, hour: 0, minute: 0, second: 0 })
      walk.set({ month: walk.now.month + 1 })
      if (walk.now.month === 1) return false
    }
    while (!this.dayMatches(walk)) {
      walk.reset({ hour: 0, minute: 0, second: 0 })
      walk.set({ day: walk.now.day + 1 })
      // where midnight does not exist that day
      const { hour } = walk.now
      if (hour !== 0) walk.add((hour > 12 ? 24 - hour : -hour) * HOUR)
      if (walk.now.day === 1) return false
    }
    while (!this.hour.has(walk.now.hour)) {
      walk.reset({ minute: 0, second: 0 })
      walk.add(HOUR)
      if (walk.now.hour === 0) return false
    }
    while (!this.minute.has(walk.now.minute)) {
      walk.cutTo(MINUTE)
      walk.add(MINUTE)
      if (walk.now.minute === 0) return false
    }
    while (walk.now.second !== 0) {
      walk.cutTo(1)
      walk.add(1)
      if (walk.now.second === 0) return false
    }
    return true
  }

  private dayMatches({ now }: Walk): boolean {
    const byDay = this.day.has(now.day)
    const byWeekday = this.weekday.has(now.weekday)
    return this.day.star || this.weekday.star ? byDay && byWeekday : byDay || byWeekday
  }
}

const YEARS = 5
const MINUTE = 60
const HOUR = 3600

/** A moment that is moved on; its smaller fields are reset once, at the first move. */
class Walk {
  at: UnixSeconds
  now: ReturnType<Zone['civil']>
  private readonly zone: Zone
  private moved = false

  constructor(at: UnixSeconds, zone: Zone) {
    this.zone = zone
    this.at = at
    this.now = zone.civil(at)
  }

  reset(fields: Partial<Walk['now']>): void {
    if (!this.moved) this.set(fields)
  }

  set(fields: Partial<Walk['now']>): void {
    this.move(this.zone.at({ ...this.now, ...fields }))
  }

  add(seconds: number): void {
    this.move(this.at + seconds)
  }

  cutTo(unit: number): void {
    if (!this.moved) this.move(this.at - (this.at % unit))
  }

  private move(to: UnixSeconds): void {
    this.moved = true
    this.at = to
    this.now = this.zone.civil(to)
  }
}

interface Field {
  has(value: number): boolean
  /** A plain `*` or `?` is among its parts. */
  readonly star: boolean
}

interface Bounds {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>()
  let star = false
  for (const part of text.split(',').filter(Boolean)) {
    const range = parseRange(part, bounds)
    star ||= range.star
    for (let value = range.start; value <= range.end; value += range.step) values.add(value)
  }
  return { has: (value) => values.has(value), star }
}

function parseRange(text: string, bounds: Bounds): { start: number; end: number; step: number; star: boolean } {
  const [span, stepText, ...moreSteps] = text.split('/') as [string, ...string[]]
  const [low, high, ...moreHyphens] = span.split('-') as [string, ...string[]]
  const any = low === '*' || low === '?'
  const start = any ? bounds.min : number(low, bounds)
  if (!any && moreHyphens.length > 0) throw new KedaError(`too many hyphens: ${text}`)
  let end = any ? bounds.max : high === undefined ? start : number(high, bounds)
  if (moreSteps.length > 0) throw new KedaError(`too many slashes: ${text}`)
  const step = stepText === undefined ? 1 : number(stepText, { ...bounds, names: undefined })
  if (stepText !== undefined && high === undefined) end = bounds.max
  const { min, max } = bounds
  if (start < min) throw new KedaError(`beginning of range (${start}) below minimum (${min}): ${text}`)
  if (end > max) throw new KedaError(`end of range (${end}) above maximum (${max}): ${text}`)
  if (start > end) throw new KedaError(`beginning of range (${start}) beyond end of range (${end}): ${text}`)
  if (step === 0) throw new KedaError(`step of range should be a positive number: ${text}`)
  return { start, end, step, star: any && step <= 1 }
}

function number(text: string, { min, names }: Bounds): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  if (named >= 0) return named + min
  if (!/^[+-]?\d+$/.test(text))
    throw new KedaError(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  const value = Number(text)
  if (value < 0) throw new KedaError(`negative number (${value}) not allowed: ${text}`)
  return value
}

function namedZone(name: string): Zone {
  try {
    return new Zone(name)
  } catch (error) {
    throw new KedaError(`provided bad location ${name}: ${(error as Error).message}`)
  }
}
