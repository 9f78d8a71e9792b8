import { REMOVED } from '../edit.ts'
import type { Facts } from '../facts.ts'
import { config, deployment, pod } from '../places.ts'
import { type Expected, type Row, set } from '../row.ts'

const ROLLOUT = ['rollout-on-full-gpus']
const strategy = (field: string) => deployment(`/spec/strategy${field}`)

/** Room for a pod more, and a pod that may be missing, by arithmetic alone. One replica serves the load many times over. */
export function rolls(facts: Facts): Expected {
  const room = Math.floor(facts.gpusPerNode / facts.gpusPerPod) * facts.nodes
  if (facts.replicas > room) return 'FAIL'
  if (facts.recreate || facts.unavailable >= facts.replicas) return 'FAIL'
  return facts.unavailable > 0 || (facts.surge > 0 && room > facts.replicas) ? 'PASS' : 'FAIL'
}
const ROOM = 'it goes on if a pod may be missing, or a GPU is free for one more; all missing at once serve nobody'

export const rollout: readonly Row[] = [
  {
    what: 'maxUnavailable',
    changes: set(strategy('/rollingUpdate/maxUnavailable'), [0, '0%', '10%', '25%', '50%', 2, '100%', 4]),
    in: ROLLOUT,
    expected: rolls,
    why: ROOM,
  },
  {
    what: 'maxSurge',
    changes: set(strategy('/rollingUpdate/maxSurge'), [0, '25%', '50%', 2, '100%']),
    in: ROLLOUT,
    expected: rolls,
    why: ROOM,
  },
  {
    what: 'strategy',
    changes: set(strategy(''), [{ type: 'Recreate' }, { type: 'RollingUpdate' }, REMOVED]),
    in: ROLLOUT,
    expected: rolls,
    why: ROOM,
  },
  {
    what: 'strategy',
    changes: set(strategy(''), [{ type: 'Recreate' }, REMOVED]),
    in: [
      'liveness-kills-loading',
      'bad-model-config',
      'drain-with-pdb',
      'node-lost',
      'sigterm-cuts-streams',
      'engine-hung-health-ok',
      'xid-device-loss',
    ],
    expected: 'PASS',
    why: 'nothing is rolled out there',
  },
  {
    what: 'replicas',
    changes: set(deployment('/spec/replicas'), [1, 2, 3, 5]),
    in: ROLLOUT,
    expected: rolls,
    why: ROOM,
  },
  {
    what: 'replicas',
    changes: set(deployment('/spec/replicas'), [1, 3, 5]),
    in: ['liveness-kills-loading', 'bad-model-config'],
    expected: 'PASS',
    why: 'these are tried with a spare node',
  },
  { what: 'nodes', changes: set(config('/nodes/0/count'), [3, 5]), in: ROLLOUT, expected: rolls, why: ROOM },
  {
    what: 'nodes',
    changes: set(config('/nodes/0/count'), [3, 5]),
    in: ['liveness-kills-loading', 'bad-model-config'],
    expected: 'PASS',
    why: 'these are tried with a spare node',
  },
  {
    what: 'progressDeadlineSeconds',
    changes: set(deployment('/spec/progressDeadlineSeconds'), [60, 300, 480]),
    in: ROLLOUT,
    expected: 'FAIL',
    why: 'less than the 540 s a replica loads',
  },
  {
    what: 'progressDeadlineSeconds',
    changes: set(deployment('/spec/progressDeadlineSeconds'), [900, 2400]),
    in: ROLLOUT,
    expected: 'PASS',
    why: 'more than the 590 s of pulling and loading',
  },
  {
    what: 'minReadySeconds',
    changes: set(deployment('/spec/minReadySeconds'), [30, 120]),
    in: ROLLOUT,
    expected: 'PASS',
    why: '590 s and these are less than the deadline of 1,200 s',
  },
  {
    what: 'minReadySeconds',
    changes: set(deployment('/spec/minReadySeconds'), [1200, 1300]),
    in: ROLLOUT,
    expected: 'FAIL',
    why: 'the API server wants less than progressDeadlineSeconds',
  },
  {
    what: 'terminationGracePeriodSeconds',
    changes: set(pod('/terminationGracePeriodSeconds'), [30, 45, 120]),
    in: ROLLOUT,
    expected: 'PASS',
    why: 'vLLM 0.11 ends at once when told to',
  },
]
