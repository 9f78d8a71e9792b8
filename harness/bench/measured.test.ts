import { describe, expect, it } from 'vitest'
import { h100Sxm } from '../../fixtures/gpus/h100-sxm.ts'
import { rtxPro6000 } from '../../fixtures/gpus/rtx-pro-6000.ts'
import {
  errorOf,
  h100Rows,
  measuredIsThere,
  rtxRequests,
  rtxSeries,
  simulateH100,
  simulateRtx,
  type Timing,
  tpotOf,
} from './measured.ts'

const percent = ({ median, p90 }: { median: number; p90: number }) =>
  `median ${(median * 100).toFixed(1)} %, p90 ${(p90 * 100).toFixed(1)} %`

/** Skipped, and said so, where the measurements are not beside the checkout (../shared/data). */
describe.skipIf(!measuredIsThere())('the engine against real runs (../shared/data)', () => {
  it('follows 300 ShareGPT requests on an RTX PRO 6000', () => {
    const requests = rtxRequests()
    const { timings, gauges } = simulateRtx(rtxPro6000, requests)
    const error = (of: (t: Timing) => number) =>
      errorOf(timings.map((t, i) => [of(t), of(requests[i]!)] as const).filter(([, measured]) => measured > 0))
    const [ttft, tpot, e2e] = [error((t) => t.ttft), error(tpotOf), error((t) => t.e2e)]
    const series = rtxSeries()
    const differences = (of: 'running' | 'waiting') =>
      series.map((row, i) => Math.abs(row[of] - (gauges[i]?.[of] ?? 0))).sort((a, b) => a - b)
    const p90 = (of: 'running' | 'waiting') => differences(of)[Math.floor(series.length * 0.9)]!
    console.log(`rtx-pro-6000: TTFT ${percent(ttft)}; TPOT ${percent(tpot)}; E2E ${percent(e2e)}`)
    console.log(`rtx-pro-6000: p90 difference of running ${p90('running')}, of waiting ${p90('waiting')} requests`)
    expect(ttft.median).toBeLessThan(0.04)
    expect(ttft.p90).toBeLessThan(0.2)
    expect(tpot.median).toBeLessThan(0.02)
    expect(e2e.median).toBeLessThan(0.02)
    expect(e2e.p90).toBeLessThan(0.05)
    expect(p90('running')).toBeLessThanOrEqual(5)
    expect(p90('waiting')).toBeLessThanOrEqual(8)
  })

  it('follows the H100 sample of two models, two precisions and batches of 4 to 128', () => {
    const rows = h100Rows().filter((_, i) => i % 3 === 0)
    const simulated = rows.map((row) => simulateH100(h100Sxm, row))
    const ttft = errorOf(rows.map((row, i) => [simulated[i]!.ttftMs, row.ttftMs]))
    const tpot = errorOf(rows.map((row, i) => [simulated[i]!.tpotMs, row.tpotMs]))
    console.log(`h100-sxm: TTFT ${percent(ttft)}; TPOT ${percent(tpot)}`)
    expect(tpot.median).toBeLessThan(0.05)
    expect(tpot.p90).toBeLessThan(0.2)
    expect(ttft.median).toBeLessThan(0.3)
  })
})
