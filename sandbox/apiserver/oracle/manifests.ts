import fc, { type Arbitrary } from 'fast-check'
import { defined, maybe } from '../../kube/oracle/pods.ts'
import { threeWay } from '../three-way.ts'

/** Random manifests and what became of them, for comparisons with the patches of kubectl and the API server. */

type Json = Record<string, unknown>

const text = fc.constantFrom('a', 'b', '1', 'true')
const map = fc.dictionary(fc.constantFrom('a', 'b', 'c'), text, { maxKeys: 3 })
const env = fc.uniqueArray(fc.record({ name: fc.constantFrom('A', 'B', 'C'), value: text }), {
  selector: ({ name }) => name,
  maxLength: 3,
})
const ports = fc.uniqueArray(
  fc
    .record({ containerPort: fc.constantFrom(80, 8000, 9090), protocol: fc.constant('TCP'), name: maybe(text) })
    .map(defined),
  { selector: ({ containerPort }) => containerPort, maxLength: 2 },
)
const container = fc
  .record({
    name: fc.constantFrom('main', 'side', 'more'),
    image: text,
    args: maybe(fc.array(text, { maxLength: 3 })),
    env: maybe(env),
    ports: maybe(ports),
    resources: maybe(fc.record({ requests: map })),
    volumeMounts: maybe(
      fc.uniqueArray(fc.record({ name: text, mountPath: fc.constantFrom('/a', '/b') }), {
        selector: ({ mountPath }) => mountPath,
        maxLength: 2,
      }),
    ),
  })
  .map(defined)
const containers = fc.uniqueArray(container, { selector: ({ name }) => name, minLength: 1, maxLength: 3 })
const volume = fc.oneof(
  fc.record({ name: fc.constantFrom('v', 'w'), emptyDir: fc.constant({}) }),
  fc.record({ name: fc.constantFrom('v', 'w'), configMap: fc.record({ name: text }) }),
)
const spec = fc
  .record({
    containers,
    initContainers: maybe(containers),
    nodeSelector: maybe(map),
    volumes: maybe(fc.uniqueArray(volume, { selector: ({ name }) => name, maxLength: 2 })),
    tolerations: maybe(fc.array(fc.record({ key: text, operator: fc.constant('Exists') }), { maxLength: 2 })),
    terminationGracePeriodSeconds: maybe(fc.constantFrom(30, 60)),
    restartPolicy: maybe(fc.constant('Always')),
  })
  .map(defined)
const metadata = fc
  .record({
    name: fc.constant('web'),
    labels: maybe(map),
    annotations: maybe(map),
    finalizers: maybe(fc.uniqueArray(text, { maxLength: 2 })),
  })
  .map(defined)

const deployment: Arbitrary<Json> = fc
  .record({
    metadata,
    replicas: maybe(fc.constantFrom(1, 2, 3)),
    paused: maybe(fc.boolean()),
    matchLabels: map,
    template: fc.record({ metadata: fc.record({ labels: map }), spec }),
    strategy: maybe(
      fc.constantFrom(
        { type: 'Recreate' },
        { type: 'RollingUpdate' },
        { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
        { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      ),
    ),
  })
  .map(({ metadata: about, matchLabels, ...rest }) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: about,
    spec: { ...defined(rest), selector: { matchLabels } },
  }))

/** What was applied, what is applied now, and what is there: what was applied, mostly with what others have put there since. */
export const applied = fc
  .tuple(deployment, deployment, deployment, fc.integer({ min: 0, max: 5 }))
  .map(([original, next, others, alike]) => {
    const live = threeWay({ original: {}, modified: others, live: original, lists: 'by key' })
    if (alike === 0) return { original, modified: next, live: original }
    return { original, modified: alike === 1 ? original : next, live }
  })

const value: Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, text, fc.integer({ min: 0, max: 3 }), fc.boolean(), tie('array'), tie('object')),
  array: fc.array(tie('value'), { maxLength: 2 }),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { maxKeys: 3 }),
})).value
export const json: Arbitrary<Json> = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), value, { maxKeys: 4 })

const change: Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    text,
    fc.integer({ min: 0, max: 3 }),
    fc.array(text, { maxLength: 2 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { maxKeys: 3 }),
})).object
export const mergePatch = change as Arbitrary<Json>
