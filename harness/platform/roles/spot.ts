import type { Container, Draft, KubeObject, PodSpec } from '../../../sandbox/kube/objects.ts'
import type { NodeGroup, NoticeHandling } from '../../../sandbox/tiers/tier.ts'
import { seconds, type Us } from '../../../sandbox/world/time.ts'

/** What a platform says of machines the cloud may take back. */
export interface Notices {
  /** Its pods run on such machines, or may. */
  readonly spot: boolean
  readonly provider: Provider | undefined
  /** From the notice to the end of the machine. */
  readonly noticeUs: Us
  /** Who acts on the notice, by name; undefined: nobody, as far as it is declared. */
  readonly handler: Handler | undefined
}

export interface Handler {
  readonly name: string
  readonly handling: NoticeHandling
  /** What must run for it, on the machine itself or anywhere; undefined: the cloud does it. */
  readonly runs?: { readonly image: string; readonly onEachNode: boolean }
}

export type Provider = 'AWS' | 'GCP' | 'Azure'

interface Declared {
  readonly objects: readonly Draft<KubeObject>[]
  readonly nodes: readonly NodeGroup[]
  readonly pool: string | undefined
  readonly subject: { readonly kind: string; readonly namespace: string; readonly name: string }
}

/** EC2 gives two minutes; Compute Engine and Azure half a minute. */
const NOTICE: Readonly<Record<Provider, Us>> = { AWS: seconds(120), GCP: seconds(30), Azure: seconds(30) }

/** Labels and taints of machines the cloud may take back. */
const SPOT: readonly (readonly [key: string, value: string])[] = [
  ['eks.amazonaws.com/capacityType', 'SPOT'],
  ['karpenter.sh/capacity-type', 'spot'],
  ['cloud.google.com/gke-spot', 'true'],
  ['cloud.google.com/gke-preemptible', 'true'],
  ['kubernetes.azure.com/scalesetpriority', 'spot'],
  ['node.kubernetes.io/lifecycle', 'spot'],
]

const PREFIXES: readonly (readonly [prefix: RegExp, provider: Provider])[] = [
  [/^(eks\.amazonaws\.com|k8s\.io\/cloud-provider-aws|karpenter\.k8s\.aws)/, 'AWS'],
  [/^cloud\.google\.com/, 'GCP'],
  [/^kubernetes\.azure\.com/, 'Azure'],
]

/** Reads it off the labels of the nodes, the subject's selectors and tolerations, and the manifests of termination handlers. */
export function noticesOf(declared: Declared): Notices {
  const group = declared.nodes.find(({ name }) => name === declared.pool)
  const labels = group?.labels ?? {}
  const wanted = wantedBy(declared)
  const pairs = [...Object.entries(labels), ...wanted]
  const handled = handlerObject(declared.objects)
  const provider =
    PREFIXES.find(([prefix]) => pairs.some(([key]) => prefix.test(key)))?.[1] ?? (handled ? 'AWS' : undefined)
  const spot = pairs.some(([key, value]) => SPOT.some(([k, v]) => k === key && (value === v || value === '')))
  return {
    spot: spot || handled !== undefined,
    provider,
    noticeUs: NOTICE[provider ?? 'AWS'],
    handler: handled ?? builtIn(labels, provider),
  }
}

/** What managed nodes do by themselves. */
function builtIn(labels: Readonly<Record<string, string>>, provider: Provider | undefined): Handler | undefined {
  if (provider === 'GCP')
    return {
      name: "GKE's graceful node shutdown",
      handling: { kind: 'graceful-shutdown', gracePeriod: seconds(30), criticalGracePeriod: seconds(15) },
    }
  if (provider === 'Azure')
    return {
      name: "AKS' node auto-drain",
      handling: { kind: 'drain', taintKey: 'kubernetes.azure.com/scalesetpriority' },
    }
  if ('eks.amazonaws.com/nodegroup' in labels)
    return { name: 'the EKS managed node group', handling: { kind: 'drain', taintKey: 'eks.amazonaws.com/spot' } }
  return undefined
}

/** A workload in the manifests that drains nodes on the notice. */
function handlerObject(objects: readonly Draft<KubeObject>[]): Handler | undefined {
  for (const object of objects) {
    for (const container of podSpecOf(object)?.containers ?? []) {
      const { image = '' } = container
      const name = `${object.kind} ${object.metadata.name}`
      const runs = { image, onEachNode: object.kind === 'DaemonSet' }
      if (/aws-node-termination-handler/.test(image) && drains(container))
        return { name, handling: { kind: 'drain' }, runs }
      if (/karpenter.*\/controller/.test(image) && hasInterruptionQueue(container))
        return { name, handling: { kind: 'drain', taintKey: 'karpenter.sh/disrupted', byClaim: true }, runs }
    }
  }
  return undefined
}

/** It drains on notices unless told not to, by a flag or its variable; from a queue of them when told to. */
function drains({ args = [], env = [] }: Pick<Container, 'args' | 'env'>): boolean {
  const told = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1] ??
    env.find((one) => one.name === name.replaceAll('-', '_').toUpperCase())?.value
  if (told('dry-run') === 'true') return false
  return told('enable-spot-interruption-draining') !== 'false' || told('enable-sqs-termination-draining') === 'true'
}

const hasInterruptionQueue = ({ env = [] }: Pick<Container, 'env'>): boolean =>
  env.some(({ name, value }) => name === 'INTERRUPTION_QUEUE' && value !== undefined && value !== '')

/** Labels the subject's pods select, and taints they tolerate. */
function wantedBy({ objects, subject }: Declared): [string, string][] {
  const object = objects.find(
    ({ kind, metadata }) =>
      kind === subject.kind &&
      metadata.name === subject.name &&
      (metadata.namespace ?? 'default') === subject.namespace,
  )
  const spec = object && podSpecOf(object)
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return [
    ...Object.entries(spec?.nodeSelector ?? {}),
    ...(spec?.tolerations ?? []).flatMap(({ key, value }): [string, string][] => (key ? [[key, value ?? '']] : [])),
    ...terms.flatMap(({ matchExpressions = [] }) =>
      matchExpressions.flatMap(({ key, values = [] }) => values.map((value): [string, string] => [key, value])),
    ),
  ]
}

const podSpecOf = (object: Draft<KubeObject>): Partial<PodSpec> | undefined =>
  (object as { spec?: { template?: { spec?: PodSpec } } }).spec?.template?.spec
