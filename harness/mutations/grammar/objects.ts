import { edit, look, type Plain } from '../edit.ts'
import { adding, container, deployment, own, pod } from '../places.ts'
import { each, just, type Row, set } from '../row.ts'

const DRAIN = ['drain-with-pdb']
const LARGE = ['rollout-on-full-gpus', 'liveness-kills-loading', 'bad-model-config']
const FOUR = ['four-replicas-with-budget']
const CHAT = { app: 'chat' }

const policy = (spec: Plain, apiVersion = 'policy/v1'): Plain => ({
  apiVersion,
  kind: 'PodDisruptionBudget',
  metadata: { name: 'second' },
  spec,
})

const quota = (hard: Plain): Plain => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'team' },
  spec: { hard },
})

const limits = (limit: Plain): Plain => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'team' },
  spec: { limits: [{ type: 'Container', ...limit }] },
})

const quotas = (values: readonly Plain[]) => each(values, (hard) => adding(quota(hard)))
const ranges = (values: readonly Plain[]) => each(values, (limit) => adding(limits(limit)))

/** Quotas and limits of a namespace, and budgets beyond their numbers. */
export const policies: readonly Row[] = [
  {
    what: 'ResourceQuota',
    changes: quotas([
      { pods: '100' },
      { services: '50' },
      { 'requests.nvidia.com/gpu': '1000' },
      { 'count/deployments.apps': '50' },
    ]),
    in: 'every',
    expected: 'PASS',
    why: 'ten times what is asked for',
  },
  {
    what: 'ResourceQuota',
    changes: quotas([{ pods: '0' }, { 'requests.nvidia.com/gpu': '0' }]),
    in: 'every',
    expected: 'FAIL',
    why: 'no pod of the server can be made',
  },
  {
    what: 'ResourceQuota of what nobody gives',
    changes: quotas([{ 'limits.memory': '100Ti' }, { 'limits.cpu': '10000' }]),
    in: LARGE,
    expected: 'FAIL',
    why: 'a pod that does not say how much it may take at most is refused',
  },
  {
    what: 'LimitRange',
    changes: ranges([{ min: { cpu: '10m' } }, { defaultRequest: { cpu: '100m' } }, { max: { 'nvidia.com/gpu': '8' } }]),
    in: LARGE,
    expected: 'PASS',
    why: 'within the limits',
  },
  {
    what: 'LimitRange',
    changes: ranges([{ max: { 'nvidia.com/gpu': '4' } }, { min: { 'nvidia.com/gpu': '16' } }]),
    in: LARGE,
    expected: 'FAIL',
    why: 'a container of eight GPUs is refused',
  },
  {
    what: 'PodDisruptionBudget of four',
    changes: [...set(own('PodDisruptionBudget', '/spec/maxUnavailable'), ['25%', '1%'])],
    in: DRAIN,
    on: FOUR,
    expected: 'PASS',
    why: 'one of four may go (percentages are rounded up)',
  },
  {
    what: 'PodDisruptionBudget of four',
    changes: set(own('PodDisruptionBudget', '/spec/maxUnavailable'), [0, '0%']),
    in: DRAIN,
    on: FOUR,
    expected: 'FAIL',
    why: 'none may go',
  },
  {
    what: 'a second PodDisruptionBudget',
    changes: each([{ maxUnavailable: 1 }, { minAvailable: 0 }], (spec) =>
      adding(policy({ ...spec, selector: { matchLabels: CHAT } })),
    ),
    in: DRAIN,
    expected: 'FAIL',
    why: 'a pod that two budgets mean cannot be evicted',
  },
  {
    what: 'a second PodDisruptionBudget',
    changes: each([{ maxUnavailable: 0 }, { minAvailable: '100%' }], (spec) =>
      adding(policy({ ...spec, selector: { matchLabels: { app: 'other' } } })),
    ),
    in: DRAIN,
    expected: 'PASS',
    why: 'it means pods of nobody',
  },
  {
    what: 'PodDisruptionBudget.selector',
    changes: set(own('PodDisruptionBudget', '/spec/selector'), [
      { matchExpressions: [{ key: 'app', operator: 'In', values: ['chat', 'other'] }] },
      { matchExpressions: [{ key: 'app', operator: 'Exists' }] },
      {},
    ]),
    in: DRAIN,
    expected: 'PASS',
    why: 'the same pods in other words',
  },
  {
    what: 'PodDisruptionBudget.unhealthyPodEvictionPolicy',
    changes: set(own('PodDisruptionBudget', '/spec/unhealthyPodEvictionPolicy'), ['AlwaysAllow', 'IfHealthyBudget']),
    in: DRAIN,
    expected: 'PASS',
    why: 'all pods are healthy when the drain begins',
  },
  {
    what: 'PodDisruptionBudget, refused',
    changes: [
      ...each([{ minAvailable: 1, maxUnavailable: 1 }, { minAvailable: -1 }, { maxUnavailable: '101%' }], (spec) =>
        adding(policy({ ...spec, selector: { matchLabels: { app: 'other' } } })),
      ),
      ...each(['Always'], (unhealthyPodEvictionPolicy) =>
        adding(policy({ minAvailable: 1, unhealthyPodEvictionPolicy, selector: { matchLabels: { app: 'other' } } })),
      ),
      ...just('policy/v1beta1', adding(policy({ minAvailable: 1, selector: { matchLabels: CHAT } }, 'policy/v1beta1'))),
    ],
    in: DRAIN,
    expected: 'FAIL',
    why: 'the API server takes one field, no negative number, no share above 100 %, two policies, and policy/v1 alone',
  },
]

/** Ports and grace periods as the API server takes them. */
export const fields: readonly Row[] = [
  {
    what: 'a second containerPort',
    changes: each([{ name: 'metrics', containerPort: 9090 }, { containerPort: 7777 }], (port) =>
      edit((platform) => {
        const ports = look(platform, container('/ports')) as Plain[] | undefined
        ports?.push({ ...port })
        return ports !== undefined
      }),
    ),
    in: 'every',
    expected: 'PASS',
    why: 'nobody asks there',
  },
  {
    what: 'containerPort, refused',
    changes: [
      ...set(container('/ports/0/containerPort'), [0, 70000]),
      ...set(container('/ports/0/name'), ['HTTP', 'a-name-longer-than-15']),
      ...set(container('/ports/0/protocol'), ['HTTP']),
    ],
    in: 'every',
    expected: 'FAIL',
    why: 'a port is 1 to 65535, its name at most 15 small letters, its protocol TCP, UDP or SCTP',
  },
  {
    what: 'terminationGracePeriodSeconds, refused',
    changes: set(pod('/terminationGracePeriodSeconds'), ['30s', 1.5]),
    in: 'every',
    expected: 'FAIL',
    why: 'a whole number',
  },
  {
    what: 'terminationGracePeriodSeconds',
    changes: set(pod('/terminationGracePeriodSeconds'), [1, 0, -1]),
    in: ['liveness-kills-loading', 'bad-model-config'],
    expected: 'PASS',
    why: 'no pod is told to end there',
  },
  {
    what: 'replicas',
    changes: set(deployment('/spec/replicas'), [0]),
    in: DRAIN,
    expected: 'untriable',
    why: 'nobody serves, and nobody is drained',
  },
]
