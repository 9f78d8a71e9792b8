// Sends a plan's requests, each at its time, and tells k6 of every one. seatrial writes the plan (PLAN: a file, HEADERS: JSON) and reads the points.
import { SharedArray } from 'k6/data'
import exec from 'k6/execution'
import { Counter, Gauge, Rate } from 'k6/metrics'
import sse from 'k6/x/sse'
import { gradeOf } from '../../slo/grade.ts'
import { Answer } from '../http/answer.ts'
import { told } from './measure.ts'

// read once, not by every virtual user
const [plan] = new SharedArray('plan', () => [{ ...JSON.parse(open(__ENV.PLAN)), slots: undefined }])
const slots = new SharedArray('slots', () => JSON.parse(open(__ENV.PLAN)).slots)

const headers = JSON.parse(__ENV.HEADERS)

/** From setup to the load's start. All virtual users exist by then. */
const LEAD_MS = 500

export const options = {
  scenarios: {
    // iterations are handed out in order, so that a free virtual user always has the next slot; none is ever dropped
    schedule: {
      executor: 'shared-iterations',
      vus: plan.virtualUsers,
      iterations: slots.length,
      maxDuration: plan.maxDuration,
      gracefulStop: '0s',
    },
  },
  thresholds: plan.thresholds,
  noConnectionReuse: !plan.keepAlive,
  systemTags: ['status'],
  setupTimeout: '120s',
}

// nothing else: k6 would keep, and write, a point for every token
const objectives = plan.objectives.map(({ metric, objective }) => ({ rate: new Rate(metric), objective }))
const zeroPoint = new Gauge('seatrial_zero')
const begunPoint = new Counter('seatrial_begun')
const endedPoint = new Counter('seatrial_ended')

export function setup() {
  const zero = sse.now() + LEAD_MS
  zeroPoint.add(zero)
  return { zero }
}

export default function ({ zero }) {
  const since = (ms) => Math.round((ms - zero) * 1e3)
  const number = exec.scenario.iterationInTest
  const { atUs, timeoutUs, body } = slots[number]
  const intended = zero + atUs / 1e3
  sse.sleepUntil(intended)
  point(begunPoint, { number, sentAt: since(sse.now()) })
  const answer = new Answer()
  let doneAt
  const timeout = Math.max(1, intended + timeoutUs / 1e3 - sse.now())
  const response = sse.open(plan.url, { method: 'POST', headers, body, timeout }, (client) =>
    client.on('event', ({ data, time }) => {
      if (answer.done) return
      answer.event(data, since(time))
      if (answer.done) doneAt = time
    }),
  )
  const endedAt = since(doneAt ?? sse.now())
  tell(told({ number, intendedAt: atUs, sentAt: since(response.sentAt), endedAt, answer, response }))
}

function tell(request) {
  for (const { rate, objective } of request.intendedAt < plan.judgedFromUs ? [] : objectives) {
    const good = gradeOf(request, objective)
    if (good !== undefined) rate.add(good)
  }
  point(endedPoint, request, { outcome: request.ended })
}

/** Of one request. As metadata: a tag would make a time series of every one. */
function point(metric, request, tags) {
  const { metadata } = exec.vu.metrics
  metadata.request = JSON.stringify(request)
  metric.add(1, tags)
  delete metadata.request
}

// standard output is the points alone
export const handleSummary = () => ({})
