import { EPOCH_MS } from '../../../world/time.ts'

/** Unix seconds, as calendars count. */
export type UnixSeconds = number

export interface Civil {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** 0 is Sunday. */
  readonly weekday: number
}

export const TRIAL_START: UnixSeconds = EPOCH_MS / 1000

/** A time zone by its IANA name. Answers as Go's time package does, at gaps and overlaps of the clock too. */
export class Zone {
  private readonly format: Intl.DateTimeFormat | undefined
  private readonly offsets = new Map<number, number>()

  /** Throws a RangeError when nobody knows the zone. */
  constructor(name: string) {
    if (/^[+-]/.test(name)) throw new RangeError(`unknown time zone ${name}`)
    // a KEDA container has no local zone of its own
    const fixed = name === '' || name === 'UTC' || name === 'Local'
    try {
      this.format = fixed ? undefined : new Intl.DateTimeFormat('en-US', { timeZone: name, ...FIELDS })
    } catch {
      throw new RangeError(`unknown time zone ${name}`)
    }
  }

  /** What a clock on the wall shows. */
  civil(at: UnixSeconds): Civil {
    const shown = new Date((at + this.offset(at)) * 1000)
    return {
      year: shown.getUTCFullYear(),
      month: shown.getUTCMonth() + 1,
      day: shown.getUTCDate(),
      hour: shown.getUTCHours(),
      minute: shown.getUTCMinutes(),
      second: shown.getUTCSeconds(),
      weekday: shown.getUTCDay(),
    }
  }

  /** When a clock shows this; fields out of range carry over. Follows Go's time.Date. */
  at(civil: Omit<Civil, 'weekday'>): UnixSeconds {
    const { year, month, day, hour, minute, second } = civil
    const local = Date.UTC(year, month - 1, day, hour, minute, second) / 1000
    const guess = this.offset(local)
    return guess === 0 ? local : local - this.offset(local - guess)
  }

  /** Seconds east of Greenwich. Clocks change at quarters of an hour, so one answer serves a quarter. */
  private offset(at: UnixSeconds): number {
    if (!this.format) return 0
    const quarter = Math.floor(at / QUARTER)
    const known = this.offsets.get(quarter)
    if (known !== undefined) return known
    const start = quarter * QUARTER
    const part: Record<string, number> = {}
    for (const { type, value } of this.format.formatToParts(start * 1000)) part[type] = Number(value)
    const { year, month, day, hour, minute, second } = part as Record<keyof Civil, number>
    const offset = Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - start
    if (this.offsets.size > REMEMBERED) this.offsets.clear()
    this.offsets.set(quarter, offset)
    return offset
  }
}

const QUARTER = 900
const REMEMBERED = 20_000

const FIELDS = {
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const
