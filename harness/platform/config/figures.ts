import { z } from 'zod'
import type { LengthDistribution } from '../../load/lengths.ts'
import { BANDWIDTH, CORES, DURATION, figure, LENGTHS, PRICE, SIZE } from './for-editors.ts'
import { parseBandwidth, parseBytes, parseTime } from './units.ts'

/**
 * A figure the user gives: the value alone (`540s`), or with what is known of it
 * (`{ value: 540s, range: [500s, 700s], measured: "kubectl events, 3 starts" }`).
 */
export interface Declared<T> {
  readonly value: T
  readonly range?: readonly [T, T]
  /** How it was measured; absent where it is only given. */
  readonly measured?: string
}

/** A value that `parse` reads from one text, number or map. A RangeError becomes the message. */
export const parsed = <T>(parse: (value: unknown) => T) =>
  z.unknown().transform((value, context): T => {
    try {
      return parse(value)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  })

export const declared = (parse: (value: unknown) => number) =>
  parsed((value): Declared<number> => {
    if (value === null || typeof value !== 'object') return { value: parse(value) }
    const { value: given, range, measured, ...rest } = value as Record<string, unknown>
    const unknown = Object.keys(rest)[0]
    if (unknown !== undefined) throw new RangeError(`unknown key "${unknown}" (known: value, range, measured)`)
    if (given === undefined) throw new RangeError('a figure needs a value: { value: 540s, range: [500s, 700s] }')
    return {
      value: parse(given),
      ...(range === undefined ? {} : { range: parseRange(range, parse) }),
      ...(measured === undefined ? {} : { measured: parseText(measured) }),
    }
  })

export const positive = (parse: (value: unknown) => number) => (value: unknown) => {
  const number = parse(value)
  if (!(number > 0)) throw new RangeError(`must be more than 0, not ${String(value)}`)
  return number
}

export const duration = declared(positive(parseTime)).meta(figure(DURATION))
export const bytes = declared(positive(parseBytes)).meta(figure(SIZE))
export const bandwidth = declared(positive(parseBandwidth)).meta(figure(BANDWIDTH))
/** CPU cores: 0.05, or 50m; none is a number too. */
export const cores = declared((value) => {
  const number = /^\d+m$/.test(String(value)) ? Number(String(value).slice(0, -1)) / 1000 : parseNumber(value)
  if (!(number >= 0)) throw new RangeError(`must be 0 cores or more, not ${String(value)}`)
  return number
}).meta(figure(CORES))
/** Dollars an hour. */
export const price = declared(positive(parseNumber)).meta(figure(PRICE))
export const lengths = parsed(parseLengths).meta(LENGTHS)

export const count = z.int().min(1)
export const text = z.string().min(1)

function parseRange(value: unknown, parse: (value: unknown) => number): [number, number] {
  if (!Array.isArray(value) || value.length !== 2) throw new RangeError('a range is a list of two: [low, high]')
  const [low, high] = [parse(value[0]), parse(value[1])]
  if (low > high)
    throw new RangeError(`a range goes from low to high, not from ${String(value[0])} to ${String(value[1])}`)
  return [low, high]
}

function parseText(value: unknown): string {
  if (typeof value !== 'string') throw new RangeError('measured says how, in words: "kubectl events, 3 starts"')
  return value
}

function parseLengths(value: unknown): LengthDistribution {
  if (typeof value === 'number') return { kind: 'constant', tokens: tokens(value) }
  const { min, max, mean, p95, ...rest } = (value !== null && typeof value === 'object' ? value : {}) as Record<
    string,
    unknown
  >
  if (
    Object.keys(rest).length === 0 &&
    mean !== undefined &&
    p95 !== undefined &&
    min === undefined &&
    max === undefined
  ) {
    const [meanTokens, p95Tokens] = [tokens(mean), tokens(p95)]
    if (p95Tokens <= meanTokens) throw new RangeError(`p95 (${p95Tokens}) must be more than the mean (${meanTokens})`)
    return { kind: 'lognormal', meanTokens, p95Tokens }
  }
  if (
    Object.keys(rest).length === 0 &&
    min !== undefined &&
    max !== undefined &&
    mean === undefined &&
    p95 === undefined
  ) {
    const [minTokens, maxTokens] = [tokens(min), tokens(max)]
    if (minTokens > maxTokens) throw new RangeError(`min (${minTokens}) must not be more than max (${maxTokens})`)
    return { kind: 'uniform', minTokens, maxTokens }
  }
  throw new RangeError('token lengths are a number, { mean: 512, p95: 2048 } or { min: 16, max: 512 }')
}

function tokens(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1)
    throw new RangeError(`a number of tokens is a whole number of at least 1, not ${String(value)}`)
  return value as number
}

function parseNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new RangeError(`not a number: ${JSON.stringify(value)}`)
  return value
}
