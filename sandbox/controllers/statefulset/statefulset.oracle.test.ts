import type { Arbitrary } from 'fast-check'
import { oracleSuite } from '../../../fixtures/oracles/suite.ts'
import { ApiError } from '../../kube/errors.ts'
import { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { type Asked, passOver } from '../oracle/recorded-kube.ts'
import { type StoredRevision, statefulSetCase } from '../oracle/stateful-sets.ts'
import { revisionOf } from '../revision/history.ts'
import { statefulSetController } from '../statefulset.ts'

const REACHED = {
  'statefulset: stateful_set_control.go': /statefulset\/stateful_set_control\.go:/,
  'statefulset: stateful_set_utils.go': /statefulset\/stateful_set_utils\.go:/,
  'statefulset: stateful_pod_control.go':
    /statefulset\/stateful_pod_control\.go:(?!realStatefulPodControlObjectManager|NewStatefulPodControl$)/,
}

const { compare, judge } = await oracleSuite('pure', REACHED)
const within = { timeout: 300_000 }

type Case = typeof statefulSetCase extends Arbitrary<infer C> ? C : never

function storedAs(set: o.StatefulSet, { name, number, at, template }: StoredRevision): o.ControllerRevision {
  const made = revisionOf({ ...set, spec: { ...set.spec, template } }, { revision: number, collisionCount: 0 })
  return { ...made, metadata: { ...made.metadata, name, creationTimestamp: at } } as o.ControllerRevision
}

/** What the server answers; a new revision has one name always, since the real one is a hash. */
function answer({ verb, kind, name, object }: Asked, fails: Readonly<Record<string, string>>) {
  const isNew = verb === 'create' && kind.id === ControllerRevision.id
  const why = fails[isNew ? 'created' : name]
  if (why === 'AlreadyExists' && verb === 'create') return new ApiError(409, 'AlreadyExists', why)
  if (why === 'NotFound' && verb !== 'create') return new ApiError(404, 'NotFound', why)
  if (why) return new ApiError(500, 'InternalError', why)
  return isNew ? { ...object!, metadata: { ...object!.metadata, name: 'created' } } : undefined
}

function shown({ verb, kind, name, object }: Asked): Record<string, unknown> {
  const request = { verb: verb.split(' ')[0], kind: kind.id.split('.')[0], name }
  if (!object) return request
  if (kind.id === Pod.id) return { ...request, ...shownPod(object as o.Pod) }
  if (kind.id === StatefulSet.id)
    return { ...request, kind: 'statefulsets/status', status: (object as o.StatefulSet).status }
  if (kind.id === PersistentVolumeClaim.id)
    return verb === 'create'
      ? { ...request, labels: object.metadata.labels }
      : { ...request, owners: (object.metadata.ownerReferences ?? []).map((r) => `${r.kind}/${r.name}/${r.uid}`) }
  const { revision } = object as o.ControllerRevision
  return { ...request, name: verb === 'create' ? 'created' : name, revision }
}

const shownPod = ({ metadata, spec }: o.Pod) => ({
  labels: metadata.labels,
  volumes: (spec.volumes ?? [])
    .map(({ name, persistentVolumeClaim: claim }) => `${name}=${(claim as { claimName?: string })?.claimName ?? ''}`)
    .sort()
    .join(' '),
  images: spec.containers.map(({ image }) => image).join(' '),
  hostname: (spec as { hostname?: string }).hostname ?? '',
  subdomain: (spec as { subdomain?: string }).subdomain ?? '',
})

function passOf({ set, revisions, pods, claims, fails, now }: Case) {
  const { asked, events, failed } = passOver(statefulSetController, 'default/web', {
    objects: [
      [StatefulSet, [set]],
      [ControllerRevision, revisions.map((revision) => storedAs(set, revision))],
      [Pod, pods],
      [PersistentVolumeClaim, claims],
    ],
    answer: (request) => answer(request, fails),
    now,
  })
  return { requests: asked.map(shown), events, failed }
}

interface Answer {
  readonly requests: readonly Record<string, unknown>[]
  readonly events: readonly string[]
  readonly failed: boolean
}

/** In the order of the requests where upstream has one: it goes through claims by a map, and through pods side by side. */
const inOrder = ({ requests, events, failed }: Answer, { set: { spec } }: Case) => {
  const ordered = spec.podManagementPolicy !== 'Parallel' && (spec.volumeClaimTemplates ?? []).length < 2
  return {
    requests: ordered ? requests : requests.map((one) => JSON.stringify(sorted(one))).sort(),
    // the words of errors are the server's
    events: events.map((text) => text.replace(/ error: .*$/s, '')).sort(),
    failed,
  }
}

const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, part]) => [key, sorted(part)]),
      )
    : value

compare('a StatefulSet', within, () =>
  judge({
    area: 'StatefulSets: which pods, claims and revisions are made, changed and deleted, status, events',
    op: 'statefulSet',
    cases: statefulSetCase,
    runs: 10_000,
    ours: (item) => inOrder(passOf(item), item),
    theirs: inOrder as (answer: never, item: Case) => unknown,
  }),
)
