import { edit, REMOVED } from '../edit.ts'
import type { Facts } from '../facts.ts'
import { config, container, deployment, flag, object, own, pod, without } from '../places.ts'
import { type Expected, each, just, type Row, set } from '../row.ts'

const DRAIN = ['drain-with-pdb']
const LOST = ['node-lost']
const SPOT = ['spot-reclaim']
const ALL = [...DRAIN, ...LOST, ...SPOT]
const HANDLER = 'aws-node-termination-handler'
const PDB = (field: string) => own('PodDisruptionBudget', `/spec${field}`)

/** A budget has one of the two fields. */
const budget = (field: 'maxUnavailable' | 'minAvailable') => (value: unknown) =>
  edit(({ objects }) => {
    const spec = objects.find(({ kind }) => kind === 'PodDisruptionBudget')?.spec as Record<string, unknown> | undefined
    if (!spec || spec[field] === value) return false
    delete spec.maxUnavailable
    delete spec.minAvailable
    spec[field] = value
    return true
  })

/** What a budget lets go while all are healthy, and whether a replacement has room beside the drained node. */
export function drains({ disruptions, replicas, nodes, gpusPerNode }: Facts): Expected {
  if (replicas < 2 || nodes < 2) return 'FAIL'
  if (disruptions === undefined) return 'PASS'
  if (disruptions < 1) return 'FAIL'
  const elsewhere = (nodes - 1) * gpusPerNode
  const onIt = Math.ceil(replicas / nodes)
  return onIt <= disruptions || elsewhere > replicas - onIt ? 'PASS' : 'FAIL'
}
const BUDGET =
  'a budget that lets one go of two lets a drain go on; one that lets none go blocks it (percentages are rounded up)'

const tolerates = (seconds?: number) => ({
  key: 'node.kubernetes.io/unreachable',
  operator: 'Exists',
  effect: 'NoExecute',
  ...(seconds ? { tolerationSeconds: seconds } : {}),
})

const apart = (topologyKey: string) => ({
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 100, podAffinityTerm: { topologyKey, labelSelector: { matchLabels: { app: 'chat' } } } },
    ],
  },
})

export const disruption: readonly Row[] = [
  {
    what: 'PodDisruptionBudget.maxUnavailable',
    changes: each([0, 1, 2, '0%', '1%', '50%', '100%'], budget('maxUnavailable')),
    in: DRAIN,
    expected: drains,
    why: BUDGET,
  },
  {
    what: 'PodDisruptionBudget.minAvailable',
    changes: each([0, 1, 2, '1%', '50%', '51%', '100%'], budget('minAvailable')),
    in: DRAIN,
    expected: drains,
    why: BUDGET,
  },
  {
    what: 'PodDisruptionBudget.selector',
    changes: set(PDB('/selector/matchLabels/app'), ['other']),
    in: DRAIN,
    expected: 'PASS',
    why: 'a budget of nobody blocks nobody; one replica stays on the other node',
  },
  {
    what: 'PodDisruptionBudget',
    changes: just('removed', without('PodDisruptionBudget')),
    in: DRAIN,
    expected: 'PASS',
    why: 'one replica stays on the other node',
  },
  {
    what: 'replicas',
    changes: set(deployment('/spec/replicas'), [1, 3, 4]),
    in: DRAIN,
    expected: drains,
    why: 'the only one serves nobody while it moves; of two on a node the second waits until the first is back, which needs room elsewhere',
  },
  {
    what: 'nodes',
    changes: set(config('/nodes/0/count'), [3, 4]),
    in: ALL,
    expected: 'PASS',
    why: 'more room takes nothing away',
  },
  {
    what: 'nodes',
    changes: set(config('/nodes/0/count'), [1]),
    in: DRAIN,
    expected: drains,
    why: 'there is nowhere to go',
  },
  {
    what: 'GPUs of a node',
    changes: set(config('/nodes/0/gpu/count'), [1, 4]),
    in: ALL,
    expected: 'PASS',
    why: 'replicas are spread over the nodes; the one that stays serves the load many times over',
  },
  {
    what: 'replicas',
    changes: set(deployment('/spec/replicas'), [1]),
    in: [...LOST, ...SPOT],
    expected: 'FAIL',
    why: 'nobody serves until another has loaded, a minute or more',
  },
  {
    what: 'replicas',
    changes: set(deployment('/spec/replicas'), [3, 4]),
    in: [...LOST, ...SPOT],
    expected: 'PASS',
    why: 'two nodes hold four: what is left serves the load many times over',
  },
  {
    what: 'lifecycle.preStop.sleep',
    changes: set(container('/lifecycle/preStop/sleep/seconds'), [120, 600]),
    in: [...ALL, 'xid-device-loss'],
    expected: 'FAIL',
    why: 'the API server wants less than the grace period of 60 s',
  },
  {
    what: 'lifecycle.preStop.sleep',
    changes: set(container('/lifecycle/preStop/sleep/seconds'), [25, 30, 40]),
    in: ALL,
    expected: 'PASS',
    why: 'ends before the grace period, and streams in it',
  },
  {
    what: 'lifecycle.preStop.sleep',
    changes: set(container('/lifecycle/preStop/sleep/seconds'), [1]),
    in: SPOT,
    expected: 'FAIL',
    why: 'most streams last longer than a second',
  },
  {
    what: 'lifecycle',
    changes: set(container('/lifecycle'), [REMOVED]),
    in: SPOT,
    expected: 'FAIL',
    why: 'vLLM 0.11 cuts its streams when told to end',
  },
  {
    what: 'lifecycle',
    changes: set(container('/lifecycle'), [REMOVED]),
    in: ['xid-device-loss'],
    expected: 'PASS',
    why: 'no requests are judged there',
  },
  {
    what: 'terminationGracePeriodSeconds',
    changes: set(pod('/terminationGracePeriodSeconds'), [30, 45, 90]),
    in: ALL,
    expected: 'PASS',
    why: 'longer than the 20 s in which streams end',
  },
  {
    what: 'terminationGracePeriodSeconds',
    changes: set(pod('/terminationGracePeriodSeconds'), [5, 10]),
    in: ALL,
    expected: 'FAIL',
    why: 'the API server wants more than the sleep of 20 s',
  },
  {
    what: 'tolerations',
    changes: set(pod('/tolerations'), [[tolerates(60)], [tolerates(30)], [tolerates(300)]]),
    in: LOST,
    expected: 'PASS',
    why: 'given up within minutes',
  },
  {
    what: 'tolerations',
    changes: set(pod('/tolerations'), [[tolerates()], [tolerates(86400)], [{ operator: 'Exists' }]]),
    in: LOST,
    expected: 'FAIL',
    why: 'the lost pod is never given up, or after a day',
  },
  {
    what: 'tolerations',
    changes: set(pod('/tolerations'), [[{ operator: 'Exists', key: 'dedicated' }]]),
    in: ALL,
    expected: 'PASS',
    why: 'a taint that no node has',
  },
  {
    what: 'affinity',
    changes: set(pod('/affinity'), [apart('kubernetes.io/hostname'), apart('topology.kubernetes.io/zone')]),
    in: [...DRAIN, ...LOST],
    expected: 'PASS',
    why: 'wished for, not required: the pods are apart on two nodes either way',
  },
  {
    what: 'slos.ttft',
    changes: set(config('/workloads/chat/slos/ttft/p95'), ['1ms']),
    in: ALL,
    expected: 'FAIL',
    why: 'prefilling 300 tokens of an 8B model takes an L40S 13 ms and more',
  },
  {
    what: 'slos.tpot',
    changes: set(config('/workloads/chat/slos/tpot/p95'), ['1ms']),
    in: ALL,
    expected: 'FAIL',
    why: 'reading 16 GB of weights takes an L40S 18 ms and more',
  },
  {
    what: 'slos, looser',
    changes: [
      ...set(config('/workloads/chat/slos/ttft/p95'), ['4s']),
      ...set(config('/workloads/chat/slos/tpot/p95'), ['200ms', REMOVED]),
      ...set(config('/workloads/chat/slos/availability'), ['95%', '98%']),
    ],
    in: ALL,
    expected: 'PASS',
    why: 'promises less',
  },
  {
    what: 'arrival rate ±10 %',
    changes: set(config('/workloads/chat/arrival/rate'), ['1.8/s', '2.2/s', '120/m']),
    in: [...ALL, 'rollout-on-full-gpus', 'liveness-kills-loading', 'bad-model-config'],
    expected: 'PASS',
    why: 'one replica serves many times as much',
  },
  {
    what: 'arrival rate',
    changes: set(config('/workloads/chat/arrival/rate'), ['200/s']),
    in: ALL,
    expected: 'FAIL',
    why: '200 prompts of 300 tokens take 960 TFLOP a second, two L40S have 724',
  },
  {
    what: 'load',
    changes: set(config('/workloads/chat/promptTokens'), [300]),
    in: ALL,
    expected: 'PASS',
    why: 'the same mean without its tail',
  },
  {
    what: '--max-num-seqs',
    changes: each([64, 128], (v) => flag('max-num-seqs', v)),
    in: ALL,
    expected: 'PASS',
    why: 'two requests a second of 2 to 10 s are fewer at once',
  },
  {
    what: 'termination handler',
    changes: just('removed', without('DaemonSet', HANDLER)),
    in: SPOT,
    expected: 'FAIL',
    why: 'nobody acts on the notice',
  },
  {
    what: 'termination handler, its draining',
    changes: set(object('DaemonSet', HANDLER, '/spec/template/spec/containers/0/env/0/value'), ['false']),
    in: SPOT,
    expected: 'FAIL',
    why: 'it sees the notice and does nothing',
  },
  {
    what: 'termination handler, where it runs',
    changes: set(object('DaemonSet', HANDLER, '/spec/template/spec/nodeSelector'), [{ pool: 'other' }]),
    in: SPOT,
    expected: 'FAIL',
    why: 'it has no pod on the node that gets the notice',
  },
  {
    what: 'termination handler, its image',
    changes: set(object('DaemonSet', HANDLER, '/spec/template/spec/containers/0/image'), [
      'public.ecr.aws/aws-ec2/aws-node-termination-handler:v1.24.0',
    ]),
    in: SPOT,
    expected: 'PASS',
    why: 'another release of the same',
  },
  {
    what: 'termination handler, its tolerations',
    changes: set(object('DaemonSet', HANDLER, '/spec/template/spec/tolerations'), [REMOVED]),
    in: SPOT,
    expected: 'PASS',
    why: 'no node has a taint',
  },
  {
    what: 'termination handler, its name',
    changes: set(object('DaemonSet', HANDLER, '/metadata/name'), ['spot-handler']),
    in: SPOT,
    expected: 'PASS',
    why: 'what it is shows in its image',
  },
]
