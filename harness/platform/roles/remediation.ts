import { parse } from 'yaml'
import type { DeschedulerOptions } from '../../../sandbox/controllers/descheduler.ts'
import type { Container, Draft, KubeObject, PodSpec } from '../../../sandbox/kube/objects.ts'
import { minutes, parseDuration, type Us } from '../../../sandbox/world/time.ts'

/** What of a platform moves pods off what is broken. */
export interface Remediation {
  /** A descheduler that acts here as it does in a cluster. */
  readonly descheduler?: DeschedulerOptions
  /** The ConfigMap of its policy, and the key under which it stands; of one that does not act here too. */
  readonly policy?: { readonly map: Draft<KubeObject>; readonly key: string }
  /** `Deployment kube-system/draino`, and why it does not act here. */
  readonly unmodelled: readonly { readonly what: string; readonly why: string }[]
}

type Objects = readonly Draft<KubeObject>[]

/** Images of what acts on sick nodes and devices, and what it does. */
const REMEDIATORS: readonly (readonly [image: RegExp, does: string])[] = [
  [/draino/, 'it drains nodes by their conditions'],
  [/nvsentinel/, 'it cordons and drains nodes by what their GPUs report'],
  [/node-healthcheck|self-node-remediation|machine-deletion-remediation/, 'it remedies sick nodes'],
  [/gpu-(health|remediat)|autopilot/, 'it acts on what GPUs report'],
]

/** Finds it by images; a descheduler's policy is read from its ConfigMap. */
export function remediationIn(objects: Objects): Remediation {
  const unmodelled: { what: string; why: string }[] = []
  let found: Pick<Remediation, 'descheduler' | 'policy'> = {}
  for (const object of objects.filter(runs)) {
    const spec = podSpecOf(object)
    for (const container of spec?.containers ?? []) {
      const image = container.image ?? ''
      const what = `${object.kind} ${object.metadata.namespace ?? 'default'}/${object.metadata.name}`
      const does = REMEDIATORS.find(([pattern]) => pattern.test(image))?.[1]
      if (does) unmodelled.push({ what, why: does })
      if (!/(^|\/)descheduler(:|@|$)/.test(image)) continue
      const policy = policyOf(object, spec!, objects)
      const read = policy === undefined ? 'its policy is not among the manifests' : deschedulerOf(policy.text)
      const intervalUs = intervalOf(object, container)
      if (read === undefined) {
        if (policy) found = { ...found, policy: found.policy ?? policy }
        continue
      }
      if (typeof read === 'string') unmodelled.push({ what, why: read })
      else if (intervalUs === undefined || policy === undefined)
        unmodelled.push({ what, why: 'when it runs cannot be read' })
      else found = { descheduler: { ...read, intervalUs }, policy }
    }
  }
  return { ...found, unmodelled }
}

/** Whether an object has a container of such an image, running or not. */
export const hasImage = (objects: Objects, image: RegExp): boolean =>
  objects.some((object) => (podSpecOf(object)?.containers ?? []).some((one) => image.test(one.image ?? '')))

/** It is not scaled to nothing, and not suspended. */
function runs(object: Draft<KubeObject>): boolean {
  const { spec } = object as unknown as { spec?: { replicas?: number; suspend?: boolean } }
  return spec?.replicas !== 0 && spec?.suspend !== true
}

function podSpecOf(object: Draft<KubeObject>): PodSpec | undefined {
  const { spec } = object as unknown as {
    spec?: { template?: { spec?: PodSpec }; jobTemplate?: { spec?: { template?: { spec?: PodSpec } } } }
  }
  return (spec?.jobTemplate?.spec?.template ?? spec?.template)?.spec
}

function policyOf({ metadata }: Draft<KubeObject>, { volumes = [] }: PodSpec, objects: Objects) {
  const names = volumes.flatMap(({ configMap }) => (configMap as { name?: string } | undefined)?.name ?? [])
  const map = objects.find(
    (one) =>
      one.kind === 'ConfigMap' &&
      names.includes(one.metadata.name!) &&
      (one.metadata.namespace ?? 'default') === (metadata.namespace ?? 'default'),
  )
  const data = (map as { data?: Record<string, string> } | undefined)?.data ?? {}
  const key = 'policy.yaml' in data ? 'policy.yaml' : Object.keys(data)[0]
  return map && key !== undefined ? { map, key, text: data[key]! } : undefined
}

/** A Deployment says it by a flag, five minutes in its chart; a CronJob by minutes of its schedule. */
function intervalOf(object: Draft<KubeObject>, { args = [], command = [] }: Container): Us | undefined {
  if (object.kind === 'CronJob') {
    const { schedule = '' } = (object as unknown as { spec: { schedule?: string } }).spec
    const every = /^\*\/(\d+) \* \* \* \*$/.exec(schedule)?.[1] ?? (schedule === '* * * * *' ? '1' : undefined)
    return every === undefined ? undefined : minutes(Number(every))
  }
  const words = [...command, ...args].flatMap((word) => word.split('='))
  const given = words[words.indexOf('--descheduling-interval') + 1]
  try {
    return words.includes('--descheduling-interval') ? parseDuration(given ?? '') : undefined
  } catch {
    return undefined
  }
}

interface Policy {
  readonly profiles?: readonly {
    readonly pluginConfig?: readonly { readonly name: string; readonly args?: Readonly<Record<string, unknown>> }[]
    readonly plugins?: { readonly deschedule?: { readonly enabled?: readonly string[] } }
  }[]
}

const PLUGIN = 'RemovePodsHavingTooManyRestarts'

/** Arguments that are understood, or that change nothing here. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  [PLUGIN]: ['podRestartThreshold', 'includingInitContainers', 'states', 'namespaces'],
  DefaultEvictor: [
    'evictLocalStoragePods',
    'evictSystemCriticalPods',
    'ignorePvcPods',
    'evictFailedBarePods',
    'evictDaemonSetPods',
    'podProtections',
  ],
}

/** Undefined where it does not look at restarts; why not, where it cannot be read. */
function deschedulerOf(text: string): Omit<DeschedulerOptions, 'intervalUs'> | string | undefined {
  let policy: Policy | null
  try {
    policy = parse(text) as Policy | null
  } catch {
    return 'its policy is no YAML'
  }
  const profile = policy?.profiles?.find(({ plugins }) => plugins?.deschedule?.enabled?.includes(PLUGIN))
  if (!profile) return undefined
  const argsOf = (plugin: string) => profile.pluginConfig?.find(({ name }) => name === plugin)?.args ?? {}
  for (const [plugin, known] of Object.entries(KNOWN))
    for (const name of Object.keys(argsOf(plugin)))
      if (!known.includes(name)) return `${plugin}.${name} of its policy is not simulated`
  const { podRestartThreshold, includingInitContainers, states, namespaces } = argsOf(PLUGIN) as {
    podRestartThreshold?: number
    includingInitContainers?: boolean
    states?: string[]
    namespaces?: { include?: string[]; exclude?: string[] }
  }
  const { evictLocalStoragePods, evictSystemCriticalPods, ignorePvcPods, podProtections } = argsOf(
    'DefaultEvictor',
  ) as {
    evictLocalStoragePods?: boolean
    evictSystemCriticalPods?: boolean
    ignorePvcPods?: boolean
    podProtections?: { defaultDisabled?: string[]; extraEnabled?: string[] }
  }
  const unprotected = podProtections?.defaultDisabled ?? []
  return {
    restarts: podRestartThreshold ?? 0,
    includingInitContainers: includingInitContainers ?? false,
    ...(states ? { states } : {}),
    ...(namespaces ? { namespaces } : {}),
    protects: {
      localStorage: !evictLocalStoragePods && !unprotected.includes('PodsWithLocalStorage'),
      critical: !evictSystemCriticalPods && !unprotected.includes('SystemCriticalPods'),
      claims: ignorePvcPods === true || (podProtections?.extraEnabled ?? []).includes('PodsWithPVC'),
    },
  }
}
