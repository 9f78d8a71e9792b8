import { expect, it } from 'vitest'
import type { Slos } from '../../slo/objective.ts'
import { builtinThresholds, objectiveRates, thresholdsOf } from './thresholds.ts'

const SLOS: Slos = [
  { origin: 'given', kind: 'ttft', percentile: 95, limitUs: 2e6 },
  { origin: 'given', kind: 'e2e', percentile: 99.9, limitUs: 30.5e6 },
  { origin: 'given', kind: 'e2e', percentile: 50, limitUs: 5e6 },
  { origin: 'assumed', kind: 'availability', share: 0.999 },
  { origin: 'given', kind: 'goodput', share: 0.9, limits: { ttft: 2e6 } },
]

it('keeps a rate for each objective, of which as many must be good as it asks', () => {
  expect(thresholdsOf(objectiveRates(SLOS))).toEqual({
    slo_ttft_p95: ['rate>=0.95'],
    slo_e2e_p99_9: ['rate>=0.999'],
    slo_e2e_p50: ['rate>=0.5'],
    slo_availability: ['rate>=0.999'],
    slo_goodput: ['rate>=0.9'],
  })
})

it('says by k6’s own metrics what they can say, and what they cannot', () => {
  const { thresholds, unmeasured } = builtinThresholds(SLOS)
  expect(thresholds).toEqual({
    http_req_failed: ['rate<=0.001'],
    http_req_duration: ['p(99.9)<=30500', 'p(50)<=5000'],
  })
  expect(unmeasured.map(({ kind }) => kind)).toEqual(['ttft', 'goodput'])
})
