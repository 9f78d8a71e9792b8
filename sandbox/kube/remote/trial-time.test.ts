import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromRfc3339, toRfc3339 } from '../../world/time.ts'
import type { Rest, RestRequest, WatchEvent } from './rest.ts'
import { inTrialTime, moved } from './trial-time.ts'

const ZERO = '2026-11-21T20:00:00Z'
const zeroMs = Date.parse(ZERO)

/** A server that answers with what it is sent. */
const echo = (sent: RestRequest[]): Rest => ({
  async send(request) {
    sent.push(request)
    return request.body
  },
  async watch(_path, _signal, onEvent) {
    onEvent({ type: 'ADDED', object: { metadata: { creationTimestamp: ZERO } } })
  },
})

it('an object made as the clock began carries trial time 0, in answers and in watches', async () => {
  const seen: WatchEvent[] = []
  const rest = inTrialTime(echo([]), zeroMs)
  await rest.watch('/', new AbortController().signal, (event) => seen.push(event))
  expect(seen[0]!.object).toEqual({ metadata: { creationTimestamp: toRfc3339(0) } })
})

it('what is sent carries the time of the wall, and comes back as it was', async () => {
  const sent: RestRequest[] = []
  const body = {
    metadata: { name: 'gpu-0', annotations: { 'kubectl.kubernetes.io/restartedAt': toRfc3339(90e6) } },
    status: { conditions: [{ type: 'Ready', lastHeartbeatTime: toRfc3339(60e6), message: toRfc3339(60e6) }] },
  }
  expect(await inTrialTime(echo(sent), zeroMs).send({ method: 'PUT', path: '/', process: 'p', body })).toEqual(body)
  expect(sent[0]!.body).toMatchObject({
    metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-11-21T20:01:30Z' } },
    status: { conditions: [{ lastHeartbeatTime: '2026-11-21T20:01:00Z', message: toRfc3339(60e6) }] },
  })
})

it('times of leases have the six digits that metav1.MicroTime is read with', () => {
  expect(moved({ spec: { renewTime: toRfc3339(5e6) } }, 0)).toEqual({
    spec: { renewTime: '2026-01-01T00:00:05.000000Z' },
  })
  expect(moved({ spec: { renewTime: '2026-01-01T00:00:05.250000Z' } }, 1000)).toEqual({
    spec: { renewTime: '2026-01-01T00:00:06.250000Z' },
  })
})

it('moves by the shift and by nothing else, and leaves what has no time as it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: -1e6, max: 1e6 }), (second, shiftSeconds) => {
      const before = { startTime: toRfc3339(second * 1e6) }
      const after = moved(before, shiftSeconds * 1e3) as typeof before
      expect(fromRfc3339(after.startTime)).toBe((second + shiftSeconds) * 1e6)
    }),
  )
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(moved(value, 12_345_000)).toBe(value)
    }),
  )
})
