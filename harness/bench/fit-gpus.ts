import type { GpuSpec } from '../../fixtures/gpus/gpu.ts'
import { h100Sxm } from '../../fixtures/gpus/h100-sxm.ts'
import { rtxPro6000 } from '../../fixtures/gpus/rtx-pro-6000.ts'
import {
  errorOf,
  h100Rows,
  measuredIsThere,
  rtxRequests,
  simulateH100,
  simulateRtx,
  type Timing,
  tpotOf,
} from './measured.ts'
import { nelderMead } from './nelder-mead.ts'

/**
 * Fits the four scalars of each measured GPU on runs of real vLLM servers and prints them with what error is left:
 * `node harness/bench/fit-gpus.ts`. With `--check` it fits nothing and prints the residuals of the fixtures.
 * The figures go into `fixtures/gpus/<gpu>.ts` by hand.
 */
type Pair = readonly [simulated: number, measured: number]
type Runs = (gpu: GpuSpec) => { ttft: Pair[]; tpot: Pair[]; e2e?: Pair[] }

/** One odd row must not pull the fit: errors count up to a factor of two. */
const ERROR_MAX = Math.log(2)
/** Weak pull towards where the search began, so that scalars the runs say little about stay plausible. */
const DRIFT_WEIGHT = 0.01
/** Where every search begins: logarithms are searched, so these are only orders of magnitude. */
const START = { computeEfficiency: 0.7, bandwidthEfficiency: 0.85, stepOverheadUs: 1000, perSequenceUs: 10 }

const withFit = (gpu: GpuSpec, x: readonly number[]): GpuSpec => ({
  ...gpu,
  fitted: {
    ...{ computeEfficiency: Math.exp(x[0]!), bandwidthEfficiency: Math.min(Math.exp(x[1]!), 0.97) },
    ...{ stepOverheadUs: Math.exp(x[2]!), perSequenceUs: Math.exp(x[3]!), fit: '' },
  },
})

const lossOf = (pairs: readonly Pair[]): number =>
  pairs.reduce((sum, [s, m]) => sum + Math.min(Math.abs(Math.log(s / m)), ERROR_MAX), 0) / pairs.length

/** Every other row is fitted on, the rest tells whether it holds. */
const half = <T>(list: readonly T[], odd: boolean): T[] => list.filter((_, i) => (i % 2 === 1) === odd)

function rtxRuns(): Runs {
  const requests = rtxRequests()
  return (gpu) => {
    const { timings } = simulateRtx(gpu, requests)
    const pairs = (f: (t: Timing) => number): Pair[] => timings.map((t, i) => [f(t), f(requests[i]!)])
    return { ttft: pairs((t) => t.ttft), tpot: pairs(tpotOf).filter(([, m]) => m > 0), e2e: pairs((t) => t.e2e) }
  }
}

function h100Runs(): Runs {
  const rows = h100Rows()
  return (gpu) => {
    const simulated = rows.map((row) => simulateH100(gpu, row))
    return {
      ttft: rows.map((row, i) => [simulated[i]!.ttftMs, row.ttftMs]),
      tpot: rows.map((row, i) => [simulated[i]!.tpotMs, row.tpotMs]),
    }
  }
}

function report(name: string, runs: ReturnType<Runs>): void {
  for (const [metric, pairs] of Object.entries(runs)) {
    for (const [which, part] of [
      ['fitted on', half(pairs, false)],
      ['held out', half(pairs, true)],
    ] as const) {
      const { median, p90 } = errorOf(part)
      const text = `median ${(median * 100).toFixed(1)} %, p90 ${(p90 * 100).toFixed(1)} %`
      console.log(`${name} ${metric.padEnd(4)} ${which} (${part.length}): ${text}`)
    }
  }
}

function fitAndReport(gpu: GpuSpec, runs: Runs, evaluations: number): void {
  if (!process.argv.includes('--check')) {
    const f = START
    const start = [f.computeEfficiency, f.bandwidthEfficiency, f.stepOverheadUs, f.perSequenceUs].map(Math.log)
    const loss = (x: readonly number[]) => {
      const { ttft, tpot } = runs(withFit(gpu, x))
      const drift = x.reduce((sum, v, i) => sum + (v - start[i]!) ** 2, 0)
      return lossOf(half(ttft, false)) / 2 + lossOf(half(tpot, false)) + DRIFT_WEIGHT * drift
    }
    const best = nelderMead(loss, start, 0.25, evaluations)
    gpu = withFit(gpu, best.x)
    console.log(`${gpu.id}: loss ${best.loss.toFixed(4)}`, gpu.fitted)
  }
  report(gpu.id, runs(gpu))
}

if (!measuredIsThere()) console.log('skipped: the measured runs are not beside this checkout (../shared/data)')
else {
  fitAndReport(rtxPro6000, rtxRuns(), 200)
  fitAndReport(h100Sxm, h100Runs(), 160)
}
