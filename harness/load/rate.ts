import { toSeconds, type Us } from '../../sandbox/world/time.ts'

/** A stretch of time in which a rate moves in a straight line. Times count from the load's start. */
export interface RatePiece {
  readonly startUs: Us
  /** Infinity at the last; then the rate is constant. */
  readonly endUs: Us
  readonly from: number
  readonly to: number
}

/** A rate over time as pieces without gaps, from 0 on and without end. Every call begins anew. */
export type RateFunction = () => Generator<RatePiece, void>

/** How a rate moves as a multiple of its base. JSON. */
export type RateShape =
  | { readonly kind: 'steps'; readonly steps: readonly RateStep[]; readonly repeatUs?: Us }
  | { readonly kind: 'wave'; readonly amplitude: number; readonly periodUs: Us; readonly peakAtUs: Us }

/** From `atUs` on the rate moves to `times` its base, in a straight line over `overUs` (0: at once). Before the first it is 1×. */
export interface RateStep {
  readonly atUs: Us
  readonly times: number
  readonly overUs?: Us
}

/** Straight lines a wave is drawn with: within 0.06 % of the sine. */
const CHORDS_PER_WAVE = 96
/** Straight lines the product of two ramps is drawn with. */
const CHORDS_PER_RAMP = 16

export const constantRate = (rate: number): RateFunction =>
  function* () {
    yield { startUs: 0, endUs: Number.POSITIVE_INFINITY, from: rate, to: rate }
  }

export const shapeOf = (shape: RateShape): RateFunction => (shape.kind === 'wave' ? wave(shape) : stepped(shape))

/** The pointwise product. Constant pieces are exact; where both move the product is drawn with straight lines. */
export const product = (a: RateFunction, b: RateFunction): RateFunction =>
  function* () {
    const [as, bs] = [a(), b()]
    let x = as.next().value
    let y = bs.next().value
    let at = 0
    while (x && y) {
      if (isZeroForEver(x) || isZeroForEver(y)) {
        yield { startUs: at, endUs: Number.POSITIVE_INFINITY, from: 0, to: 0 }
        return
      }
      const end = Math.min(x.endUs, y.endUs)
      const chords = isFlat(x) || isFlat(y) ? 1 : CHORDS_PER_RAMP
      for (let i = 0; i < chords; i++) {
        const startUs = chords === 1 ? at : at + ((end - at) * i) / chords
        const endUs = i === chords - 1 ? end : at + ((end - at) * (i + 1)) / chords
        yield { startUs, endUs, from: rateIn(x, startUs) * rateIn(y, startUs), to: rateIn(x, endUs) * rateIn(y, endUs) }
      }
      at = end
      if (x.endUs === end) x = as.next().value
      if (y.endUs === end) y = bs.next().value
    }
  }

/** What comes between two times: requests, where the rate is requests a second. */
export function integral(rate: RateFunction, fromUs: Us, untilUs: Us): number {
  let total = 0
  for (const piece of rate()) {
    const [start, end] = [Math.max(piece.startUs, fromUs), Math.min(piece.endUs, untilUs)]
    if (start < end) total += ((rateIn(piece, start) + rateIn(piece, end)) / 2) * toSeconds(end - start)
    if (piece.endUs >= untilUs) break
  }
  return total
}

/**
 * When the integral of a rate reaches a value: time rescaling, by which a process of rate 1 becomes one of any rate, exactly. Values must
 * not fall from call to call. Infinity where it never does.
 */
export class Rescaling {
  private readonly pieces: Generator<RatePiece, void>
  private piece: RatePiece | undefined
  /** The integral up to the piece's start. */
  private before = 0
  private seconds = 0
  private slope = 0
  private area = 0

  constructor(rate: RateFunction) {
    this.pieces = rate()
    this.take()
  }

  timeAt(value: number): Us {
    while (this.piece && value > this.before + this.area) {
      this.before += this.area
      this.take()
    }
    const { piece } = this
    if (!piece) return Number.POSITIVE_INFINITY
    const rest = value - this.before
    if (rest <= 0) return piece.startUs
    const root = this.slope === 0 ? piece.from : Math.sqrt(Math.max(0, piece.from ** 2 + 2 * this.slope * rest))
    return piece.startUs + (2e6 * rest) / (piece.from + root)
  }

  private take(): void {
    this.piece = this.pieces.next().value ?? undefined
    if (!this.piece) return
    const { startUs, endUs, from, to } = this.piece
    this.seconds = toSeconds(endUs - startUs)
    this.slope = Number.isFinite(this.seconds) ? (to - from) / this.seconds : 0
    this.area = from === 0 && to === 0 ? 0 : ((from + to) / 2) * this.seconds
    if (this.area === 0 && endUs === Number.POSITIVE_INFINITY) this.piece = undefined
  }
}

function stepped({ steps, repeatUs }: Extract<RateShape, { kind: 'steps' }>): RateFunction {
  const ordered = [...steps].sort((a, b) => a.atUs - b.atUs)
  return function* () {
    let last = 1
    for (let round = 0; ; round++) {
      const offset = round * (repeatUs ?? 0)
      const limit = repeatUs ?? Number.POSITIVE_INFINITY
      let at = 0
      for (const [i, { atUs, times, overUs = 0 }] of ordered.entries()) {
        const start = Math.min(atUs, limit)
        const next = Math.min(ordered[i + 1]?.atUs ?? limit, limit)
        if (start > at) yield { startUs: offset + at, endUs: offset + start, from: last, to: last }
        at = Math.max(at, start)
        // a ramp that the next step cuts off has come as far as it has
        const end = Math.min(at + overUs, next)
        const reached = overUs === 0 ? times : last + ((times - last) * (end - at)) / overUs
        if (end > at) yield { startUs: offset + at, endUs: offset + end, from: last, to: reached }
        at = Math.max(at, end)
        last = reached
      }
      if (limit > at) yield { startUs: offset + at, endUs: offset + limit, from: last, to: last }
      if (repeatUs === undefined) return
    }
  }
}

function wave({ amplitude, periodUs, peakAtUs }: Extract<RateShape, { kind: 'wave' }>): RateFunction {
  const at = (us: Us) => 1 + amplitude * Math.cos((2 * Math.PI * (us - peakAtUs)) / periodUs)
  return function* () {
    for (let i = 0; ; i++) {
      const [startUs, endUs] = [(i * periodUs) / CHORDS_PER_WAVE, ((i + 1) * periodUs) / CHORDS_PER_WAVE]
      yield { startUs, endUs, from: Math.max(0, at(startUs)), to: Math.max(0, at(endUs)) }
    }
  }
}

const isFlat = ({ from, to }: RatePiece): boolean => from === to
const isZeroForEver = ({ endUs, from, to }: RatePiece): boolean =>
  endUs === Number.POSITIVE_INFINITY && from === 0 && to === 0

const rateIn = ({ startUs, endUs, from, to }: RatePiece, us: Us): number =>
  from === to ? from : from + ((to - from) * (us - startUs)) / (endUs - startUs)
