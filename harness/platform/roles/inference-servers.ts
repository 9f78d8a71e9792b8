import { kindOf } from '../../../sandbox/kube/kinds.ts'
import type { LabelSelector } from '../../../sandbox/kube/objects.ts'
import { selects } from '../../../sandbox/kube/selects.ts'
import { type Recognition, recogniseVllm } from '../../../sandbox/vllm/flags/command.ts'
import { vllmImage } from '../../../sandbox/vllm/flags/image.ts'
import { withVersion } from '../../../sandbox/vllm/flags/version.ts'
import type { Subject } from '../../subject.ts'
import { configMapsIn } from '../config-maps.ts'
import { type FieldPath, valueAt } from '../path.ts'
import { groupOf, namespaceOf, type Platform, type PlatformObject } from '../platform.ts'
import { readOnce } from '../read-once.ts'
import { gpusOf } from './gpu-requests.ts'
import { withMountedScript } from './mounted-script.ts'
import { isMap, type PodTemplate, podTemplatesOf, type WrittenContainer, type WrittenPodSpec } from './pod-templates.ts'
import { References } from './references.ts'

export type VllmRecognition = Exclude<Recognition, { kind: 'other' }>

/** Says what inference server a container runs; undefined when it runs none. */
export type Recognise<R> = (
  container: WrittenContainer,
  podSpec: WrittenPodSpec,
  object: PlatformObject,
) => R | undefined

/** A workload that serves inference requests, and what in the platform has to do with it. */
export interface InferenceServerRole<R> {
  /** The id of its object. */
  readonly id: string
  readonly object: PlatformObject
  readonly template: PodTemplate
  readonly container: WrittenContainer
  /** Where the container is in the object. */
  readonly containerPath: FieldPath
  readonly recognised: R
  /** Services whose selector its pods match, in the order given. */
  readonly services: readonly PlatformObject[]
  /** HorizontalPodAutoscalers, KEDA ScaledObjects, VPAs and others that name it. */
  readonly scalers: readonly PlatformObject[]
  readonly disruptionBudgets: readonly PlatformObject[]
  /** Ingresses, HTTPRoutes and others that name one of its services, and InferencePools that select its pods. */
  readonly routes: readonly PlatformObject[]
}

/** Finds the inference servers of a platform: workloads with a container that `recognise` knows. One per pod template. */
export function findInferenceServers<R>(platform: Platform, recognise: Recognise<R>): InferenceServerRole<R>[] {
  const links = new Links(platform)
  return platform.objects.flatMap((object) =>
    podTemplatesOf(object).flatMap((template) => {
      for (const [i, container] of template.spec.containers.entries()) {
        const recognised = recognise(container, template.spec, object)
        if (recognised === undefined) continue
        const containerPath = [...template.path, 'containers', i]
        return [
          {
            id: object.id,
            object,
            template,
            container,
            containerPath,
            recognised,
            ...links.of(object, template),
          },
        ]
      }
      return []
    }),
  )
}

/**
 * Finds the containers that run vLLM, also those that do it in a way the sandbox cannot simulate. A container with a vLLM image and GPUs whose
 * command is not recognised is one of these, lest a server go unjudged.
 */
export const findVllmServers = readOnce((platform): readonly InferenceServerRole<VllmRecognition>[] =>
  findInferenceServers(platform, (container, spec, object) => {
    const configMaps = configMapsIn(platform, namespaceOf(object))
    const { image, command, args, env, envFrom } = withMountedScript(container, spec, configMaps)
    if (typeof image !== 'string') return undefined
    const recognised = recogniseVllm({ image, command, args, env, envFrom }, configMaps)
    if (recognised.kind === 'vllm')
      return { ...recognised, image: withVersion(recognised.image, platform.config?.images?.[image]?.vllm) }
    if (recognised.kind !== 'other') return recognised
    if (!vllmImage(image) || gpusOf({ containers: [container] }) === 0) return undefined
    const reason = `${image} carries vLLM and the container has GPUs, but what its command runs is not known`
    return { kind: 'unmodelled', code: 'script', reason }
  }),
)

/**
 * A server as trials judge it. The Service is the first that selects its pods, with the port of it that leads to the server's, or its first.
 * `port` is where the server listens, `worldSize` how many GPUs it uses.
 */
export function subjectOf<R>(
  server: InferenceServerRole<R>,
  { port, worldSize }: { port: number; worldSize: number | undefined },
): Omit<Subject, 'healthProbe'> {
  const { object, template, container } = server
  const namespace = namespaceOf(object)
  const { kind, metadata } = object.manifest
  const selector = valueAt(object.manifest, 'spec.selector') as LabelSelector | undefined
  const service = server.services[0]
  return {
    kind,
    namespace,
    name: metadata.name,
    key: `${namespace}/${metadata.name}`,
    container: container.name,
    gpus: gpusOf(template.spec),
    worldSize,
    selector:
      isMap(selector) && ('matchLabels' in selector || 'matchExpressions' in selector)
        ? selector
        : { matchLabels: { ...template.labels } },
    ...(service
      ? {
          service: {
            key: `${namespaceOf(service)}/${service.manifest.metadata.name}`,
            port: portTo(service, container, port),
          },
        }
      : {}),
  }
}

/** What of a platform can belong to a server, looked up once for all its servers. */
class Links {
  private readonly references: References
  private readonly byNamespace = new Map<string, PlatformObject[]>()

  constructor(platform: Platform) {
    this.references = new References(platform)
    for (const object of platform.objects) {
      if (!SELECTING.has(object.manifest.kind)) continue
      const namespace = namespaceOf(object)
      this.byNamespace.set(namespace, [...(this.byNamespace.get(namespace) ?? []), object])
    }
  }

  of(object: PlatformObject, template: PodTemplate) {
    const near = this.byNamespace.get(namespaceOf(object)) ?? []
    const services = near.filter((other) => isService(other) && selectsPods(other, 'spec.selector', template))
    const pools = near.filter(
      (other) =>
        other.manifest.kind === 'InferencePool' &&
        (selectsPods(other, 'spec.selector.matchLabels', template) || selectsPods(other, 'spec.selector', template)),
    )
    const routing = [...services, ...pools].flatMap((target) => this.references.to(target)).filter(routes)
    return {
      services,
      scalers: this.references.to(object).filter((other) => !isService(other)),
      disruptionBudgets: near.filter(
        (other) =>
          other.manifest.kind === 'PodDisruptionBudget' &&
          selects(valueAt(other.manifest, 'spec.selector') as LabelSelector | undefined, template.labels),
      ),
      routes: [...new Set([...routing, ...pools])],
    }
  }
}

const SELECTING = new Set(['Service', 'InferencePool', 'PodDisruptionBudget'])

const NO_ROUTERS = new Set(['apps', 'autoscaling', 'keda.sh'])

/** Monitors name services only to watch them, autoscalers to measure them, StatefulSets only for the names of their pods. */
const routes = (object: PlatformObject): boolean =>
  !isService(object) &&
  !object.manifest.kind.endsWith('Monitor') &&
  !NO_ROUTERS.has(groupOf(object.manifest.apiVersion))

/** Whether the labels at a path of an object select a template's pods; an empty selector selects none. */
export function selectsPods(object: PlatformObject, path: string, template: PodTemplate): boolean {
  const selector = valueAt(object.manifest, path)
  if (!isMap(selector)) return false
  const wanted = Object.entries(selector)
  return wanted.length > 0 && wanted.every(([key, value]) => template.labels[key] === value)
}

const isService = (object: PlatformObject): boolean => kindOf(object.manifest).id === 'services'

function portTo(service: PlatformObject, container: WrittenContainer, port: number): number {
  const ports = (valueAt(service.manifest, 'spec.ports') ?? []) as { port: number; targetPort?: number | string }[]
  const number = (target: number | string | undefined) =>
    typeof target === 'string' ? container.ports?.find((p) => p.name === target)?.containerPort : target
  return (ports.find((one) => (number(one.targetPort) ?? one.port) === port) ?? ports[0])?.port ?? port
}
