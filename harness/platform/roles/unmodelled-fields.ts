import { understand, understands } from '../../../sandbox/nodes/shell.ts'
import type { Feature } from '../../../sandbox/tiers/capabilities.ts'
import { howToAdd, yamlKey } from '../config/how-to-add.ts'
import { type FieldPath, valueAt } from '../path.ts'
import { namespaceOf, type Platform } from '../platform.ts'
import type { InferenceServerRole } from './inference-servers.ts'
import { isMap, type WrittenContainer } from './pod-templates.ts'
import { isScheduledElsewhere, schedulersOf } from './schedulers.ts'

export interface UnmodelledField {
  readonly effect: 'schedules' | 'runs' | 'mutates' | 'routes'
  readonly path: FieldPath
  readonly why: string
  /** What to do, where that is not to leave it out. */
  readonly fix?: string
}

/** Fields of a server's pods whose effect the tier does not have. */
export function unmodelledFields<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  features: ReadonlySet<Feature>,
  timed: (container: string) => boolean = () => false,
): UnmodelledField[] {
  const fields: UnmodelledField[] = []
  const add = (feature: Feature, effect: UnmodelledField['effect'], path: FieldPath, why: string, fix?: string) => {
    if (!features.has(feature)) fields.push({ effect, path, why, ...(fix === undefined ? {} : { fix }) })
  }
  const { spec, path } = server.template
  for (const [i, container] of spec.containers.entries())
    containerFields(container, [...path, 'containers', i], add, container.name === server.container.name)
  for (const [i, container] of (spec.initContainers ?? []).entries()) {
    const at = [...path, 'initContainers', i]
    if (container.restartPolicy === 'Always') containerFields(container, at, add)
    else if (!isTrivialCommand(container) && !timed(container.name) && !features.has('init.command'))
      fields.push(untimed(platform, server, container.name, at))
  }
  schedulingFields(server, add)
  const { schedulerName = 'default-scheduler' } = spec
  if (isScheduledElsewhere(schedulerName, schedulersOf(platform)))
    fields.push({
      effect: 'schedules',
      path: [...path, 'schedulerName'],
      why: 'another scheduler places the pods (if it is a kube-scheduler, name its configuration in seatrial.yaml under cluster.scheduler)',
    })
  volumeFields(platform, server, add)
  if (spec.readinessGates?.length)
    add(
      'pod.readinessGates',
      'runs',
      [...path, 'readinessGates'],
      'something outside sets the gate before the pod is ready',
    )
  meshFields(platform, server, add)
  return fields
}

function untimed<R>(
  platform: Platform,
  { object }: InferenceServerRole<R>,
  name: string,
  path: FieldPath,
): UnmodelledField {
  const key = yamlKey(`${object.manifest.metadata.name}/${name}`)
  return {
    effect: 'runs',
    path,
    why: `how long init container ${name} runs is not known`,
    fix: `${howToAdd(platform.config, 'containers', `${key}: { runTime: 60s }`)}  with the time it takes (kubectl describe pod: Started, Finished)`,
  }
}

type Add = (feature: Feature, effect: UnmodelledField['effect'], path: FieldPath, why: string, fix?: string) => void

function containerFields(container: WrittenContainer, path: FieldPath, add: Add, isServer = false): void {
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    if (container[probe]?.exec && !understands(container[probe].exec.command ?? []))
      add('probe.exec', 'runs', [...path, probe, 'exec'], 'what the command would answer is not known')
    // vLLM speaks no gRPC: what its server answers is known
    if (container[probe]?.grpc && !isServer)
      add('probe.grpc', 'runs', [...path, probe, 'grpc'], 'what the gRPC service would answer is not known')
  }
  for (const when of ['postStart', 'preStop'] as const) {
    const hook = container.lifecycle?.[when]
    const at = [...path, 'lifecycle', when]
    if (hook?.exec && !understands(hook.exec.command ?? []))
      add('hook.exec', 'runs', [...at, 'exec'], 'what the command does and how long it takes is not known')
    if (hook?.httpGet || hook?.tcpSocket)
      add('hook.http', 'runs', at, 'what the server does on the request is not known')
  }
  for (const [i, port] of (container.ports ?? []).entries()) {
    if (port.hostPort)
      add('schedule.hostPort', 'schedules', [...path, 'ports', i, 'hostPort'], 'only one such pod fits a node')
  }
}

function schedulingFields<R>({ object, template }: InferenceServerRole<R>, add: Add): void {
  const { spec, path } = template
  const at = (field: string) => [...path, field]
  if (spec.schedulerName && spec.schedulerName !== 'default-scheduler')
    add('schedule.profile', 'schedules', at('schedulerName'), 'another scheduler places the pods')
  if (spec.affinity?.podAffinity)
    add('schedule.podAffinity', 'schedules', [...at('affinity'), 'podAffinity'], 'it decides where the pods go')
  if (spec.affinity?.podAntiAffinity)
    add('schedule.podAffinity', 'schedules', [...at('affinity'), 'podAntiAffinity'], 'it decides where the pods go')
  if (spec.topologySpreadConstraints?.length)
    add('schedule.topologySpread', 'schedules', at('topologySpreadConstraints'), 'it decides where the pods go')
  if (spec.schedulingGates?.length)
    add(
      'schedule.gates',
      'schedules',
      at('schedulingGates'),
      'something outside lifts the gate before the pod is scheduled',
    )
  if (spec.resourceClaims?.length)
    add('schedule.dra', 'schedules', at('resourceClaims'), 'a DRA driver allocates the devices')
  for (const metadata of [['metadata'], [...path.slice(0, -1), 'metadata']]) {
    const label = [...metadata, 'labels', 'kueue.x-k8s.io/queue-name']
    if (valueAt(object.manifest, label) === undefined) continue
    add('schedule.queue', 'schedules', label, 'Kueue holds the pods until its queue admits them')
    break
  }
}

function volumeFields<R>(platform: Platform, { object, template }: InferenceServerRole<R>, add: Add): void {
  const at = [...template.path, 'volumes']
  for (const [i, volume] of (template.spec.volumes ?? []).entries()) {
    if ('ephemeral' in volume)
      add('volume.persistent', 'schedules', [...at, i, 'ephemeral'], 'a volume is made and bound for each pod')
    const claim = volume['persistentVolumeClaim']
    if (!isMap(claim)) continue
    const name = String(claim['claimName'])
    const modes = modesOf(platform, namespaceOf(object), name)
    if (isShared(modes)) continue
    add(
      modes === undefined ? 'volume.elsewhere' : 'volume.persistent',
      'schedules',
      [...at, i, 'persistentVolumeClaim'],
      modes === undefined
        ? `claim ${name} is not among the manifests, and its volume may bind the pods to a node or zone`
        : 'the volume may bind the pods to a node or zone',
      modes === undefined ? `Bring the claim too (kubectl get persistentvolumeclaim ${name} -o yaml).` : undefined,
    )
  }
  if (valueAt(object.manifest, 'spec.volumeClaimTemplates') !== undefined) {
    add('volume.persistent', 'schedules', ['spec', 'volumeClaimTemplates'], 'a volume is made and bound for each pod')
  }
}

const isShared = (modes: readonly string[] | undefined): boolean =>
  modes?.some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany') ?? false

/** The access modes of a claim; undefined for one that is not among the manifests. */
function modesOf(platform: Platform, namespace: string, name: string): readonly string[] | undefined {
  const claim = platform.objects.find(
    (o) =>
      o.manifest.kind === 'PersistentVolumeClaim' && o.manifest.metadata.name === name && namespaceOf(o) === namespace,
  )
  const modes = claim && valueAt(claim.manifest, 'spec.accessModes')
  return claim && (Array.isArray(modes) ? (modes as string[]) : [])
}

const MESH_PROXY = /(^|\/)(proxyv2|istio-proxy|linkerd2?-proxy|proxy-init)(-[\w]+)?([:@]|$)/

function meshFields<R>(platform: Platform, { object, template }: InferenceServerRole<R>, add: Add): void {
  const { labels, annotations, path } = template
  const namespace = platform.objects.find(
    (o) => o.manifest.kind === 'Namespace' && o.manifest.metadata.name === namespaceOf(object),
  )
  const injected =
    labels['sidecar.istio.io/inject'] === 'true' ||
    annotations['sidecar.istio.io/inject'] === 'true' ||
    annotations['linkerd.io/inject'] === 'enabled' ||
    namespace?.manifest.metadata.labels?.['istio-injection'] === 'enabled' ||
    namespace?.manifest.metadata.annotations?.['linkerd.io/inject'] === 'enabled'
  for (const field of ['containers', 'initContainers'] as const)
    for (const [i, { image = '' }] of (template.spec[field] ?? []).entries())
      if (MESH_PROXY.test(image))
        add('network.mesh', 'mutates', [...path, field, i], 'requests pass through the proxy of a service mesh')
  if (injected)
    add('network.mesh', 'mutates', path, 'a service mesh adds a proxy to the pods that requests pass through')
}

/** A command that only sleeps, prints or succeeds: how long it takes is known without running it. */
const isTrivialCommand = ({ command = [], args = [] }: WrittenContainer): boolean => {
  const words = [...command, ...args]
  return words.length > 0 && understand(words) !== undefined
}
