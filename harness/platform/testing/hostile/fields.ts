import { and, either, type HostileCase, hostile, taken, WELL } from './case.ts'

/** Wrong types, wrong numbers and names of prototypes in the fields of the kinds that matter. */
export const fieldCases = (): HostileCase[] => [...wrongTypes(), ...numbers, ...prototypes, ...owners]

const container = (field: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: b, ${field}}]}`
const withSpec = (apiVersion: string, kind: string) => (field: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\nspec: {${field}}`
const metadata = (field: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, ${field}}`

type Sort = 'text' | 'number' | 'map' | 'list' | 'flag'

/** A value of every sort but the right one. */
const WRONG: Readonly<Record<Sort, readonly string[]>> = {
  text: ['7', '{a: b}'],
  number: ['"7"', '[7]'],
  map: ['x', '[x]'],
  list: ['{a: b}', 'x'],
  flag: ['"true"', '[true]'],
}

/** Where a field stands, its name, and of which sort it is. */
const FIELDS: readonly (readonly [
  kind: string,
  place: (field: string) => string,
  ...fields: (readonly [string, Sort])[],
])[] = [
  [
    'metadata',
    metadata,
    ['namespace', 'text'],
    ['labels', 'map'],
    ['annotations', 'map'],
    ['ownerReferences', 'list'],
    ['finalizers', 'list'],
    ['generation', 'number'],
  ],
  [
    'container',
    container,
    ...([
      ['command', 'list'],
      ['args', 'list'],
      ['env', 'list'],
      ['ports', 'list'],
      ['resources', 'map'],
      ['volumeMounts', 'list'],
    ] as const),
    ...([
      ['livenessProbe', 'map'],
      ['lifecycle', 'map'],
      ['tty', 'flag'],
      ['imagePullPolicy', 'text'],
      ['securityContext', 'map'],
    ] as const),
  ],
  [
    'Deployment',
    withSpec('apps/v1', 'Deployment'),
    ...([
      ['replicas', 'number'],
      ['selector', 'map'],
      ['template', 'map'],
      ['strategy', 'map'],
      ['paused', 'flag'],
    ] as const),
    ...([
      ['minReadySeconds', 'number'],
      ['progressDeadlineSeconds', 'number'],
      ['revisionHistoryLimit', 'number'],
    ] as const),
  ],
  [
    'StatefulSet',
    withSpec('apps/v1', 'StatefulSet'),
    ...([
      ['replicas', 'number'],
      ['serviceName', 'text'],
      ['volumeClaimTemplates', 'list'],
      ['ordinals', 'map'],
      ['updateStrategy', 'map'],
    ] as const),
  ],
  [
    'Service',
    withSpec('v1', 'Service'),
    ['selector', 'map'],
    ['ports', 'list'],
    ['clusterIP', 'text'],
    ['publishNotReadyAddresses', 'flag'],
  ],
  [
    'HorizontalPodAutoscaler',
    withSpec('autoscaling/v2', 'HorizontalPodAutoscaler'),
    ...([
      ['minReplicas', 'number'],
      ['maxReplicas', 'number'],
      ['metrics', 'list'],
      ['scaleTargetRef', 'map'],
      ['behavior', 'map'],
    ] as const),
  ],
  [
    'PodDisruptionBudget',
    withSpec('policy/v1', 'PodDisruptionBudget'),
    ['selector', 'map'],
    ['unhealthyPodEvictionPolicy', 'text'],
  ],
  ['ResourceQuota', withSpec('v1', 'ResourceQuota'), ['hard', 'map'], ['scopes', 'list'], ['scopeSelector', 'map']],
  ['LimitRange', withSpec('v1', 'LimitRange'), ['limits', 'list']],
  [
    'Job',
    withSpec('batch/v1', 'Job'),
    ...([
      ['completions', 'number'],
      ['parallelism', 'number'],
      ['backoffLimit', 'number'],
      ['suspend', 'flag'],
      ['podFailurePolicy', 'map'],
    ] as const),
  ],
  [
    'PersistentVolumeClaim',
    withSpec('v1', 'PersistentVolumeClaim'),
    ['accessModes', 'list'],
    ['resources', 'map'],
    ['storageClassName', 'text'],
  ],
]

const wrongTypes = (): HostileCase[] =>
  FIELDS.flatMap(([kind, place, ...fields]) =>
    fields.flatMap(([field, sort]) =>
      WRONG[sort].map((value) => hostile(`${kind}: ${field} as ${value}`, and(place(`${field}: ${value}`)))),
    ),
  )

const replicas = (value: string) => WELL.replace('replicas: 1', `replicas: ${value}`)
const gpus = (value: string) => WELL.replace('nvidia.com/gpu: 1', `nvidia.com/gpu: ${value}`)

const numbers: HostileCase[] = [
  ...[
    '-1',
    '-2147483648',
    '2147483648',
    '9007199254740992',
    '9007199254740993',
    '1e309',
    '-1e309',
    '.nan',
    '.inf',
    '-.inf',
    '0x10000000000',
    '1.5',
    '1e-9',
    '9'.repeat(400),
    'true',
    '~x',
  ].map((value) => hostile(`replicas: ${value.slice(0, 30)}`, replicas(value))),
  ...['-1', '1.5', '.nan', '.inf', '1e30', '9'.repeat(400), '"1e1000000000"', '""', '"1 "', '0.5'].map((value) =>
    hostile(`GPUs: ${value.slice(0, 30)}`, gpus(value)),
  ),
  ...['-1', '0', '65536', '1e9', '.nan'].map((value) =>
    hostile(`containerPort: ${value}`, WELL.replace('containerPort: 8000', `containerPort: ${value}`)),
  ),
  ...[
    'periodSeconds: -1',
    'periodSeconds: 1e300',
    'timeoutSeconds: .inf',
    'failureThreshold: -2147483649',
    'initialDelaySeconds: -1',
  ].map((field) => hostile(`a probe with ${field}`, WELL.replace('port: http}}', `port: http}, ${field}}`))),
  taken(
    '2,147,483,647 seconds between probes',
    WELL.replace('port: http}}', 'port: http}, periodSeconds: 2147483647}'),
  ),
  either('2,147,483,647 replicas', replicas('2147483647')),
  either('1,000,000 replicas', replicas('1000000')),
  hostile(
    'a grace period below zero',
    WELL.replace('    spec:\n', '    spec:\n      terminationGracePeriodSeconds: -1\n'),
    { expect: 'either' },
  ),
  either(
    'a grace period of 2^53',
    WELL.replace('    spec:\n', '    spec:\n      terminationGracePeriodSeconds: 9007199254740992\n'),
  ),
  hostile(
    'maxSurge of 10^9 %',
    WELL.replace('replicas: 1', 'strategy: {rollingUpdate: {maxSurge: "1000000000%", maxUnavailable: "-5%"}}'),
  ),
  hostile(
    'maxUnavailable of 101 %',
    WELL.replace('replicas: 1', 'strategy: {rollingUpdate: {maxUnavailable: "101%"}}'),
  ),
]

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
  'valueOf',
] as const

const prototypes: HostileCase[] = [
  ...KEYS.map((key) =>
    hostile(
      `a field ${key}`,
      and(`apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {${key}: {polluted: true}}`),
    ),
  ),
  ...KEYS.map((key) =>
    hostile(
      `a field ${key} at the top`,
      and(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${key}: {polluted: x}`),
    ),
  ),
  ...KEYS.slice(0, 3).map((key) =>
    either(`a label ${key}`, WELL.replace('{app: chat}}\n    spec', `{app: chat, ${key}: x}}\n    spec`)),
  ),
  ...KEYS.slice(0, 3).map((key) =>
    either(`data under ${key}`, and(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {${key}: x}`)),
  ),
  ...KEYS.slice(0, 3).map((key) =>
    either(`a resource ${key}`, WELL.replace('nvidia.com/gpu: 1', `nvidia.com/gpu: 1, ${key}: 1`)),
  ),
  either(
    'an annotation named constructor',
    WELL.replace('{name: chat}', '{name: chat, annotations: {constructor: x, __proto__: y}}'),
  ),
]

const owner = (name: string, of: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, uid: u-${name}, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: ${of}, uid: u-${of}, controller: true, blockOwnerDeletion: true}]}`

const owners: HostileCase[] = [
  either('an object that owns itself', and(owner('a', 'a'))),
  either('two objects that own each other', and(`${owner('a', 'b')}\n---\n${owner('b', 'a')}`)),
  either(
    'a hundred owners in a circle',
    and(Array.from({ length: 100 }, (_, i) => owner(`a${i}`, `a${(i + 1) % 100}`)).join('\n---\n')),
  ),
  hostile(
    'an owner without a name',
    and('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, ownerReferences: [{kind: x}]}'),
  ),
  either(
    'a thousand owners',
    and(
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, ownerReferences: [${Array.from({ length: 1000 }, (_, i) => `{apiVersion: v1, kind: Pod, name: p${i}, uid: u${i}}`).join(', ')}]}`,
    ),
  ),
]
