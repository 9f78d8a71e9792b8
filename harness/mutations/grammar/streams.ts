import { REMOVED } from '../edit.ts'
import type { Facts } from '../facts.ts'
import { config, container, deployment, flag, pod, release } from '../places.ts'
import { type Expected, each, just, type Row, set } from '../row.ts'

const STREAMS = ['sigterm-cuts-streams']
const HUNG = ['engine-hung-health-ok']
const SLEEP = container('/lifecycle/preStop/sleep/seconds')

/** An answer of 300 tokens takes an L4 some 20 s, the longest of those under way more than a minute; endpoints are gone in a few seconds. */
export function streamsEnd({ preStopSeconds, graceSeconds, shutdownTimeoutSeconds }: Facts): Expected | undefined {
  if (preStopSeconds > graceSeconds || preStopSeconds === 0) return 'FAIL'
  if (preStopSeconds < 5) return undefined
  const left = Math.min(preStopSeconds + shutdownTimeoutSeconds, graceSeconds)
  if (left >= 110) return 'PASS'
  return left <= 30 ? 'FAIL' : undefined
}
const LEFT =
  'preStop and what follows it, up to the grace period, against answers of 20 s to a minute: at least 110 s or at most 30 s'

const LIVENESS = (field: string) => container(`/livenessProbe${field}`)

export const streams: readonly Row[] = [
  {
    what: 'terminationGracePeriodSeconds',
    changes: set(pod('/terminationGracePeriodSeconds'), [5, 10, 15, 20, 30, 125, 130, 200, 300, 600, REMOVED]),
    in: STREAMS,
    expected: streamsEnd,
    why: LEFT,
  },
  {
    what: 'lifecycle.preStop.sleep',
    changes: set(SLEEP, [5, 10, 15, 20, 30, 110, 130, 140, 300]),
    in: STREAMS,
    expected: streamsEnd,
    why: LEFT,
  },
  {
    what: 'lifecycle',
    changes: set(container('/lifecycle'), [REMOVED]),
    in: STREAMS,
    expected: streamsEnd,
    why: 'requests still come for a second or two, and are refused',
  },
  {
    what: '--shutdown-timeout',
    changes: each([0, 1, 5, 10, 15, 110, 130, 240, REMOVED], (v) => flag('shutdown-timeout', v)),
    in: STREAMS,
    on: ['pre-stop-and-drain'],
    expected: streamsEnd,
    why: LEFT,
  },
  {
    what: '--shutdown-timeout',
    changes: each([60], (v) => flag('shutdown-timeout', v)),
    in: STREAMS,
    on: ['long-pre-stop'],
    expected: 'FAIL',
    why: 'vLLM 0.11 does not know the flag',
  },
  {
    what: 'the version of the image',
    changes: just('v0.11.0', release('v0.11.0')),
    in: STREAMS,
    on: ['pre-stop-and-drain'],
    expected: 'FAIL',
    why: 'vLLM 0.11 does not know --shutdown-timeout',
  },
  {
    what: 'the version of the image',
    changes: just('v0.32.0', release('v0.32.0')),
    in: STREAMS,
    on: ['long-pre-stop'],
    expected: 'PASS',
    why: 'streams end while preStop sleeps',
  },
  {
    what: 'replicas',
    changes: set(deployment('/spec/replicas'), [2]),
    in: STREAMS,
    expected: 'PASS',
    why: 'the load is a share of what they can take',
  },
  {
    what: 'replicas',
    changes: set(deployment('/spec/replicas'), [5]),
    in: [...STREAMS, ...HUNG],
    expected: 'FAIL',
    why: 'there are nodes for three, and one spare',
  },
  {
    what: 'outputTokens',
    changes: set(config('/workloads/chat/outputTokens'), [{ mean: 60, p95: 120 }]),
    in: STREAMS,
    expected: 'PASS',
    why: 'shorter answers',
  },
  {
    what: 'arrival rate ±10 %',
    changes: set(config('/workloads/chat/arrival/rate'), ['1.8/s', '2.2/s', '120/m']),
    in: [...STREAMS, ...HUNG],
    expected: 'PASS',
    why: 'the load is a share of what the replicas can take',
  },
]

const token = (from: string, to: string) => (files: { 'deploy.yaml': string; 'seatrial.yaml': string }) =>
  files['deploy.yaml'].includes(from) ? { ...files, 'deploy.yaml': files['deploy.yaml'].replace(from, to) } : undefined
const said = (from: string, to: string) => ({ to: to.trim() || `without ${from.trim()}`, edit: token(from, to) })

/** An engine that hangs is out of rotation when the probe that asks it for a token has failed so often, within 120 s. */
export const hang: readonly Row[] = [
  {
    what: 'livenessProbe',
    changes: set(LIVENESS(''), [REMOVED]),
    in: HUNG,
    expected: 'FAIL',
    why: 'nobody notices that the engine hangs',
  },
  {
    what: 'livenessProbe.periodSeconds',
    changes: set(LIVENESS('/periodSeconds'), [60, 120]),
    in: HUNG,
    expected: 'FAIL',
    why: 'three misses take 130 s and more',
  },
  {
    what: 'livenessProbe.periodSeconds',
    changes: set(LIVENESS('/periodSeconds'), [10, 12, 20, REMOVED]),
    in: HUNG,
    expected: 'PASS',
    why: 'three misses take a minute or less',
  },
  {
    what: 'livenessProbe.failureThreshold',
    changes: set(LIVENESS('/failureThreshold'), [10, 20]),
    in: HUNG,
    expected: 'FAIL',
    why: 'ten misses take 145 s and more',
  },
  {
    what: 'livenessProbe.failureThreshold',
    changes: set(LIVENESS('/failureThreshold'), [2, 4, REMOVED]),
    in: HUNG,
    expected: 'PASS',
    why: 'as many misses take 70 s or less',
  },
  {
    what: 'livenessProbe.timeoutSeconds',
    changes: set(LIVENESS('/timeoutSeconds'), [9, 12, 14]),
    in: HUNG,
    expected: 'PASS',
    why: 'curl gives up after 8 s by itself',
  },
  {
    what: 'livenessProbe.command',
    changes: [
      said('"model": "meta-llama/Llama-3.1-8B-Instruct"', '"model": "meta-llama/Llama-3.1-8B"'),
      said('/v1/completions', '/v1/completion'),
      said('localhost:8000', 'localhost:8001'),
    ],
    in: HUNG,
    expected: 'FAIL',
    why: 'it always fails, and healthy replicas are killed',
  },
  {
    what: 'livenessProbe.command',
    changes: [
      said('"prompt": "a"', '"prompt": "b"'),
      said('"max_tokens": 1', '"max_tokens": 2'),
      said('localhost:8000', '127.0.0.1:8000'),
    ],
    in: HUNG,
    expected: 'PASS',
    why: 'asks the same',
  },
  {
    what: 'livenessProbe.command',
    changes: [said('- curl', '- curll')],
    in: HUNG,
    expected: 'untriable',
    why: 'a program that nobody knows',
  },
  {
    what: 'livenessProbe, of /health',
    changes: set(LIVENESS(''), [
      { httpGet: { path: '/health', port: 'http' }, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 3 },
    ]),
    in: HUNG,
    expected: 'FAIL',
    why: '/health goes on answering',
  },
  {
    what: '--served-model-name',
    changes: each(['chat'], (v) => flag('served-model-name', v)),
    in: HUNG,
    expected: 'FAIL',
    why: 'the probe asks for a model that is not served',
  },
  {
    what: '--port',
    changes: each([8001], (v) => flag('port', v)),
    in: [...HUNG, ...STREAMS],
    expected: 'FAIL',
    why: 'probes go to 8000, where nobody listens',
  },
  {
    what: 'readinessProbe',
    changes: set(container('/readinessProbe'), [REMOVED]),
    in: HUNG,
    expected: 'PASS',
    why: 'a container that is killed is not Ready either',
  },
  {
    what: 'terminationGracePeriodSeconds',
    changes: set(pod('/terminationGracePeriodSeconds'), [20, 30, 40]),
    in: HUNG,
    expected: 'PASS',
    why: 'killed the sooner',
  },
  {
    what: 'replicas',
    changes: set(deployment('/spec/replicas'), [2]),
    in: HUNG,
    expected: 'PASS',
    why: 'another replica serves, and one node is free',
  },
]
