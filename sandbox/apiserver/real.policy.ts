import { type Case, main, one } from './real.cases.ts'

/** Creations in namespaces with quotas and limit ranges, and how budgets, quotas and limit ranges themselves are taken. */

const named = (kind: string, apiVersion: string, specs: Readonly<Record<string, object>>): Case[] =>
  Object.entries(specs).map(([name, spec]) => ({ name: `${kind}: ${name}`, apiVersion, kind, body: { spec } }))

const selector = { matchLabels: { app: 'web' } }

const limit = (item: object) => ({ limits: [{ type: 'Container', ...item }] })

const web = { matchLabels: { app: 'web' } }
const spread = (fields: object) => ({
  ...one({}),
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', ...fields }],
})
const apart = (fields: object) => ({
  ...one({}),
  affinity: {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', ...fields }] },
  },
})

/** Pods with labels, placed by the labels of others. */
const placing = Object.entries({
  'spread by keys': spread({ labelSelector: web, matchLabelKeys: ['pod-template-hash', 'absent'], minDomains: 2 }),
  'spread by keys without selector': spread({ matchLabelKeys: ['app'] }),
  'spread by keys selected already': spread({ labelSelector: web, matchLabelKeys: ['app'] }),
  'spread policies': spread({ labelSelector: web, nodeAffinityPolicy: 'Ignore', nodeTaintsPolicy: 'Honor' }),
  'spread policies unknown': spread({ nodeAffinityPolicy: 'Maybe', nodeTaintsPolicy: 'Never' }),
  'spread domains of a wish': spread({ minDomains: 2, whenUnsatisfiable: 'ScheduleAnyway' }),
  'spread no domains': spread({ minDomains: 0 }),
  'apart by keys': apart({ labelSelector: web, matchLabelKeys: ['pod-template-hash'], mismatchLabelKeys: ['app'] }),
  'apart by one key twice': apart({ labelSelector: web, matchLabelKeys: ['tier'], mismatchLabelKeys: ['tier'] }),
  'apart by bad keys': apart({ labelSelector: web, matchLabelKeys: ['a b'] }),
  'apart by keys without selector': apart({ mismatchLabelKeys: ['app'] }),
  'apart in namespaces': apart({ labelSelector: web, namespaces: ['b', 'Not-one'], namespaceSelector: {} }),
}).map(([name, spec]) => ({
  ...{ name: `Pod: ${name}`, apiVersion: 'v1', kind: 'Pod' },
  body: { metadata: { labels: { app: 'web', 'pod-template-hash': 'abc' } }, spec },
}))

export const policyCases: readonly Case[] = [
  ...placing,
  ...named('PodDisruptionBudget', 'policy/v1', {
    plain: { selector, minAvailable: 1 },
    percent: { selector, maxUnavailable: '25%' },
    both: { selector, minAvailable: 1, maxUnavailable: 1 },
    'more than all': { selector, minAvailable: '101%' },
    'no percentage': { selector, minAvailable: 'many' },
    negative: { selector, maxUnavailable: -1 },
    'neither bound': { selector },
    'no selector': { minAvailable: 1 },
    policy: { selector, minAvailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    'another policy': { selector, minAvailable: 1, unhealthyPodEvictionPolicy: 'Never' },
    'wrong expression': { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
  }),
  ...named('ResourceQuota', 'v1', {
    plain: {
      hard: { pods: '5', 'requests.cpu': '1000m', 'requests.nvidia.com/gpu': '8', 'count/deployments.apps': '2' },
    },
    'odd names': { hard: { gpu: '1', 'limits.gpu': '1', 'requests.storage': '1Gi', storage: '1Gi' } },
    'half a pod': { hard: { pods: '500m' } },
    negative: { hard: { cpu: '-1' } },
    'no limits': {},
    'unknown scope': { hard: { pods: '1' }, scopes: ['Sometimes'] },
    'scopes at odds': { hard: { pods: '1' }, scopes: ['BestEffort', 'NotBestEffort'] },
    'scope of pods alone': { hard: { cpu: '1' }, scopes: ['BestEffort'] },
    'scope of no services': { hard: { services: '1' }, scopes: ['Terminating'] },
    'by class': {
      hard: { pods: '1' },
      scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
    },
    'selector without values': {
      hard: { pods: '1' },
      scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }] },
    },
    'selector that must exist': {
      hard: { pods: '1' },
      scopeSelector: { matchExpressions: [{ scopeName: 'Terminating', operator: 'In', values: ['a'] }] },
    },
    'selector of services': {
      hard: { services: '1' },
      scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'Exists' }] },
    },
  }),
  ...named('LimitRange', 'v1', {
    plain: limit({
      max: { cpu: '2' },
      min: { cpu: '100m' },
      default: { cpu: '1000m' },
      defaultRequest: { cpu: '0.5' },
    }),
    'defaults follow': limit({
      max: { cpu: '2', memory: '1024Mi' },
      min: { memory: '1Mi', 'ephemeral-storage': '1Gi' },
    }),
    'min above max': limit({ max: { cpu: '1' }, min: { cpu: '2' } }),
    'default above max': limit({ max: { cpu: '1' }, default: { cpu: '2' } }),
    'request above limit': limit({ default: { cpu: '1' }, defaultRequest: { cpu: '2' } }),
    'request below min': limit({ min: { cpu: '1' }, defaultRequest: { cpu: '500m' } }),
    'gpus differ': limit({ default: { 'nvidia.com/gpu': '2' }, defaultRequest: { 'nvidia.com/gpu': '1' } }),
    ratio: limit({ maxLimitRequestRatio: { cpu: '500m' } }),
    'ratio out of reach': limit({ max: { cpu: '2' }, min: { cpu: '1' }, maxLimitRequestRatio: { cpu: '3' } }),
    'unknown resource': limit({ max: { gpu: '1' } }),
    'defaults of a pod': { limits: [{ type: 'Pod', default: { cpu: '1' } }] },
    twice: {
      limits: [
        { type: 'Pod', max: { cpu: '1' } },
        { type: 'Pod', max: { cpu: '1' } },
      ],
    },
    'another type': { limits: [{ type: 'Node', max: { cpu: '1' } }] },
    'claims without bounds': { limits: [{ type: 'PersistentVolumeClaim', default: { storage: '1Gi' } }] },
  }),
  ...['system-mine', 'system-node-critical'].map((name) => ({
    name: `PriorityClass: ${name}`,
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    body: { metadata: { name }, value: 5 },
  })),
]

interface QuotaSpec {
  readonly hard: Record<string, string>
  readonly scopes?: readonly string[]
  readonly scopeSelector?: object
}

/** What stands in a namespace before something is created in it. */
export interface Setting {
  readonly name: string
  readonly quota?: { readonly spec: QuotaSpec; readonly used: Record<string, string> }
  readonly limits?: readonly object[]
  /** Pods created one after the other; each answer is compared. */
  readonly pods: readonly object[]
}

const asks = (requests: object, limits?: object, more: object = {}) =>
  one({ resources: { requests, ...(limits && { limits }) }, ...more })
const gpus = (count: number) => asks({}, { 'nvidia.com/gpu': String(count) })

export const settings: readonly Setting[] = [
  {
    name: 'pods are counted',
    quota: { spec: { hard: { pods: '1' } }, used: { pods: '0' } },
    pods: [one({}), one({})],
  },
  {
    name: 'gpus run out',
    quota: {
      spec: { hard: { 'requests.nvidia.com/gpu': '8', pods: '10', 'count/pods': '5' } },
      used: { 'requests.nvidia.com/gpu': '4', pods: '1', 'count/pods': '1' },
    },
    pods: [gpus(2), gpus(4), gpus(2)],
  },
  {
    name: 'cpu and memory in several forms',
    quota: {
      spec: { hard: { 'requests.cpu': '2', 'limits.memory': '3Gi', cpu: '2' } },
      used: { 'requests.cpu': '500m', 'limits.memory': '1Gi', cpu: '500m' },
    },
    pods: [
      asks({ cpu: '250m' }),
      asks({ cpu: '250m' }, { memory: '512Mi' }),
      asks({ cpu: '2' }, { memory: '2Gi', cpu: '2' }),
      { containers: [main({ name: 'b' }), main({ name: 'a' })], initContainers: [main({ name: 'i' })] },
    ],
  },
  {
    name: 'usage not known',
    quota: { spec: { hard: { pods: '1', 'requests.cpu': '1' } }, used: { pods: '0' } },
    pods: [asks({ cpu: '1' })],
  },
  {
    name: 'by class',
    quota: {
      spec: {
        hard: { pods: '0' },
        scopeSelector: {
          matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-cluster-critical'] }],
        },
      },
      used: { pods: '0' },
    },
    pods: [one({}), { ...one({}), priorityClassName: 'system-cluster-critical' }],
  },
  {
    name: 'best effort alone',
    quota: { spec: { hard: { pods: '0' }, scopes: ['BestEffort'] }, used: { pods: '0' } },
    pods: [one({}), asks({ cpu: '1' })],
  },
  {
    name: 'defaults of containers',
    limits: [limit({ default: { cpu: '1', memory: '1Gi' }, defaultRequest: { cpu: '500m' } })],
    pods: [one({}), asks({ cpu: '200m' }), { ...one({}), initContainers: [main({ name: 'i' })] }],
  },
  {
    name: 'bounds of containers',
    limits: [limit({ max: { cpu: '2' }, min: { cpu: '200m' }, maxLimitRequestRatio: { cpu: '4' } })],
    pods: [
      asks({ cpu: '100m' }),
      asks({ cpu: '1' }, { cpu: '3' }),
      asks({ cpu: '200m' }, { cpu: '1' }),
      asks({ cpu: '500m' }, { cpu: '2' }),
    ],
  },
  {
    name: 'bounds of pods',
    limits: [{ limits: [{ type: 'Pod', max: { memory: '1Gi' } }] }],
    pods: [one({}), asks({ memory: '2Gi' }, { memory: '2Gi' }), asks({}, { memory: '512Mi' })],
  },
  {
    name: 'defaults meet a quota',
    limits: [limit({ default: { cpu: '1' } })],
    quota: { spec: { hard: { 'limits.cpu': '1' } }, used: { 'limits.cpu': '0' } },
    pods: [one({}), one({})],
  },
]
