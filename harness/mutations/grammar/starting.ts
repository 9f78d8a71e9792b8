import { REMOVED } from '../edit.ts'
import type { Facts } from '../facts.ts'
import { config, container, flag } from '../places.ts'
import { type Expected, each, type Row, set } from '../row.ts'

const THREE = ['liveness-kills-loading', 'rollout-on-full-gpus', 'bad-model-config']
const TWO = THREE.slice(0, 2)
const startup = (field: string) => container(`/startupProbe${field}`)
const liveness = (field: string) => container(`/livenessProbe${field}`)

/** period × threshold against the load time; too near where it is within a tenth. */
export function startsInTime({ startSeconds, loadSeconds }: Facts, scenario: string): Expected | undefined {
  if (scenario === 'bad-model-config' || startSeconds === undefined) return 'PASS'
  if (startSeconds >= 1.1 * loadSeconds) return 'PASS'
  return startSeconds <= 0.9 * loadSeconds ? 'FAIL' : undefined
}
const BUDGET = 'initial delay + period × threshold against the load time, within a tenth left out'

/** Probes and the time a start takes. */
export const starting: readonly Row[] = [
  {
    what: 'startupProbe.failureThreshold',
    changes: set(startup('/failureThreshold'), [1, 30, 45, 60, 240, REMOVED]),
    in: 'every',
    expected: startsInTime,
    why: BUDGET,
  },
  {
    what: 'startupProbe.periodSeconds',
    changes: set(startup('/periodSeconds'), [1, 5, 20, 40]),
    in: 'every',
    expected: startsInTime,
    why: BUDGET,
  },
  {
    what: 'startupProbe',
    changes: set(startup(''), [REMOVED]),
    in: 'every',
    expected: startsInTime,
    why: `${BUDGET}; without it, a liveness probe's own`,
  },
  {
    what: 'startupProbe.initialDelaySeconds',
    changes: set(startup('/initialDelaySeconds'), [30]),
    in: TWO,
    expected: startsInTime,
    why: BUDGET,
  },
  {
    what: 'startupProbe.timeoutSeconds',
    changes: set(startup('/timeoutSeconds'), [2, 10]),
    in: 'every',
    expected: 'PASS',
    why: 'a server that is not up refuses at once, one that is up answers at once',
  },
  {
    what: 'startupProbe.httpGet.path',
    changes: set(startup('/httpGet/path'), ['/v1/models', '/version']),
    in: TWO,
    expected: 'PASS',
    why: 'vLLM answers there as soon as it is up',
  },
  {
    what: 'startupProbe.httpGet.port',
    changes: set(startup('/httpGet/port'), [8000]),
    in: THREE,
    expected: 'PASS',
    why: 'the port that is called http',
  },
  {
    what: 'models[].loadTime',
    changes: set(config('/models/meta-llama~1Llama-3.3-70B-Instruct/loadTime'), ['9m', '270s', '490s', '2000s']),
    in: THREE,
    expected: startsInTime,
    why: BUDGET,
  },
  {
    what: 'models[].loadTime',
    changes: set(config('/models/meta-llama~1Llama-3.1-8B-Instruct/loadTime'), ['1m', '600s']),
    in: [
      'drain-with-pdb',
      'node-lost',
      'spot-reclaim',
      'sigterm-cuts-streams',
      'engine-hung-health-ok',
      'xid-device-loss',
    ],
    expected: startsInTime,
    why: BUDGET,
  },
  {
    what: 'livenessProbe',
    changes: set(liveness(''), [REMOVED]),
    in: THREE,
    expected: 'PASS',
    why: 'nothing kills; a hang is not what these look for',
  },
  {
    what: 'livenessProbe.periodSeconds',
    changes: set(liveness('/periodSeconds'), [5, 40, REMOVED]),
    in: THREE,
    expected: 'PASS',
    why: 'it begins when the startup probe has succeeded, and /health answers',
  },
  {
    what: 'livenessProbe.failureThreshold',
    changes: set(liveness('/failureThreshold'), [1, 12, REMOVED]),
    in: THREE,
    expected: 'PASS',
    why: 'it begins when the startup probe has succeeded, and /health answers',
  },
  {
    what: 'livenessProbe asks elsewhere',
    changes: [
      ...set(liveness('/httpGet/path'), ['/nowhere']),
      ...set(liveness('/httpGet/port'), [9999]),
      ...set(liveness('/httpGet/scheme'), ['HTTPS']),
    ],
    in: ['rollout-on-full-gpus', 'bad-model-config'],
    expected: (_, scenario) => (scenario === 'bad-model-config' ? 'PASS' : 'FAIL'),
    why: 'every replica is killed half a minute after it got Ready, and loads again',
  },
  {
    what: 'readinessProbe',
    changes: set(container('/readinessProbe'), [REMOVED]),
    in: THREE,
    expected: 'PASS',
    why: 'the startup probe holds Ready back as long',
  },
  {
    what: 'readinessProbe.periodSeconds',
    changes: set(container('/readinessProbe/periodSeconds'), [1, 10]),
    in: 'every',
    except: ['sigterm-cuts-streams'],
    expected: 'PASS',
    why: 'Ready some seconds earlier or later',
  },
  {
    what: 'readinessProbe.timeoutSeconds',
    changes: set(container('/readinessProbe/timeoutSeconds'), [2, 20]),
    in: THREE,
    expected: 'PASS',
    why: '/health answers at once',
  },
  {
    what: 'readinessProbe.failureThreshold',
    changes: set(container('/readinessProbe/failureThreshold'), [6]),
    in: 'every',
    expected: 'PASS',
    why: '/health answers at once',
  },
  {
    what: '--host',
    changes: each(['127.0.0.1'], (v) => flag('host', v)),
    in: TWO,
    expected: 'FAIL',
    why: 'the kubelet asks the address of the pod, where nobody listens',
  },
  {
    what: '--port',
    changes: each([8001], (v) => flag('port', v)),
    in: TWO,
    expected: 'FAIL',
    why: 'probes and the Service go to 8000, where nobody listens',
  },
]
