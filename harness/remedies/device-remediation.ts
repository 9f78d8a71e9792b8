import { parseDocument } from 'yaml'
import { hasImage } from '../platform/roles/remediation.ts'
import { descheduler } from './objects/descheduler.ts'
import { type Candidate, containerPath, type Diagnosis, type RemedyContext, remedy } from './remedy.ts'

/** Restarts in about five minutes of back-off. */
const RESTARTS = 4

const PLUGIN = 'RemovePodsHavingTooManyRestarts'

/** A pod that keeps a GPU which is lost: nobody moves it, or who could does not. */
export const deviceRemediation = remedy({
  causes: ['device-lost-nobody-moves'],
  diagnose(context): Diagnosis {
    const { policy } = context.related
    if (!policy)
      return {
        path: `${containerPath(context)}.resources.limits[nvidia.com/gpu]`,
        says: 'a container restarts on the GPU it had, and nothing in the manifests moves its pod: a descheduler that removes pods with many restarts would',
        candidates: hasImage(context.setup().objects, /(^|\/)descheduler(:|@|$)/) ? [] : [deschedulerFor(context)],
      }
    if (!looksAtRestarts(policy))
      return {
        object: policy.id,
        path: `data[${policy.key}]`,
        says: `the descheduler does not look at restarts: ${PLUGIN} is not among its plugins`,
        candidates: [enabled(context)],
      }
    const given = argOf(textOf(policy), PLUGIN, 'podRestartThreshold')
    const left = leftOut(context)
    if (left) return left
    const guarded = Number(given) <= restartsOf(context) && !protectsLocalStorage(context) && guardedByBudget(context)
    if (guarded) return guarded
    return {
      object: policy.id,
      path: `data[${policy.key}]`,
      says: protectsLocalStorage(context)
        ? 'the descheduler protects pods with an emptyDir or hostPath, as by default, and the pod has one'
        : `the descheduler removes a pod only after ${given ?? 'no'} restarts, and restarts come ever more slowly`,
      candidates: [
        changed(context, 'evictLocalStoragePods: true', [['DefaultEvictor', 'evictLocalStoragePods', true]]),
        changed(context, `podRestartThreshold: ${RESTARTS}`, [[PLUGIN, 'podRestartThreshold', RESTARTS]]),
        changed(context, `podRestartThreshold: ${RESTARTS}, evictLocalStoragePods: true`, [
          [PLUGIN, 'podRestartThreshold', RESTARTS],
          ['DefaultEvictor', 'evictLocalStoragePods', true],
        ]),
      ]
        .slice(protectsLocalStorage(context) ? 0 : 1)
        .filter(() => given !== RESTARTS || protectsLocalStorage(context)),
    }
  },
})

/** As often as the container was seen to restart. */
const restartsOf = ({ broken }: RemedyContext): number => Number(/(\d+) restarts/.exec(broken.what)?.[1] ?? 0)

/** The plugin looks at other namespaces. */
function leftOut(context: RemedyContext): Diagnosis | undefined {
  const policy = context.related.policy!
  const { namespace } = context.subject
  const { include, exclude } = (argOf(textOf(policy), PLUGIN, 'namespaces') ?? {}) as Record<
    string,
    string[] | undefined
  >
  if (!exclude?.includes(namespace) && (include === undefined || include.includes(namespace))) return undefined
  const value = include
    ? { include: [...include, namespace] }
    : { exclude: exclude!.filter((one) => one !== namespace) }
  return {
    object: policy.id,
    path: `data[${policy.key}]`,
    says: `${PLUGIN} of the descheduler leaves out namespace ${namespace}`,
    candidates: [changed(context, `namespaces: ${JSON.stringify(value)}`, [[PLUGIN, 'namespaces', value]])],
  }
}

/** A budget that lets nobody evict a pod that is not Ready either, while too few others are. */
function guardedByBudget({ related }: RemedyContext): Diagnosis | undefined {
  const [budget] = related.disruptionBudgets
  const path = 'spec.unhealthyPodEvictionPolicy'
  const spec = (budget?.manifest['spec'] ?? {}) as { unhealthyPodEvictionPolicy?: string }
  if (!budget || spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return undefined
  return {
    object: budget.id,
    path,
    says: 'unhealthyPodEvictionPolicy: IfHealthyBudget keeps a pod that is not Ready from eviction while the budget is not met, so the descheduler may not remove it',
    candidates: [
      { says: 'unhealthyPodEvictionPolicy: AlwaysAllow', changes: [{ object: budget.id, path, value: 'AlwaysAllow' }] },
    ],
  }
}

const hasLocalStorage = ({ deployment }: RemedyContext): boolean =>
  (deployment.spec.template.spec.volumes ?? []).some(({ emptyDir, hostPath }) => emptyDir || hostPath)

function deschedulerFor(context: RemedyContext): Candidate {
  const { namespace } = context.subject
  const objects = descheduler({ namespace, restarts: RESTARTS, evictLocalStorage: hasLocalStorage(context) })
  return {
    says: `a descheduler that removes pods of namespace ${namespace} after ${RESTARTS} restarts`,
    adds: { name: 'descheduler', objects },
  }
}

type Policy = NonNullable<RemedyContext['related']['policy']>
type Change = readonly [plugin: string, arg: string, value: unknown]

const textOf = ({ manifest, key }: Policy): string => (manifest['data'] as Record<string, string>)[key]!

const protectsLocalStorage = (context: RemedyContext): boolean =>
  hasLocalStorage(context) && argOf(textOf(context.related.policy!), 'DefaultEvictor', 'evictLocalStoragePods') !== true

const looksAtRestarts = (policy: Policy): boolean =>
  ((parseDocument(textOf(policy)).toJS() as Written | null)?.profiles ?? []).some(isForRestarts)

/** The policy with the plugin in a profile of its own, for the server's namespace alone. */
function enabled(context: RemedyContext): Candidate {
  const policy = context.related.policy!
  const document = parseDocument(textOf(policy))
  const profile = {
    name: 'lost-devices',
    pluginConfig: [
      ...(hasLocalStorage(context) ? [{ name: 'DefaultEvictor', args: { evictLocalStoragePods: true } }] : []),
      { name: PLUGIN, args: { podRestartThreshold: RESTARTS, namespaces: { include: [context.subject.namespace] } } },
    ],
    plugins: { deschedule: { enabled: [PLUGIN] } },
  }
  document.addIn(['profiles'], profile)
  return {
    says: `a profile with ${PLUGIN}, podRestartThreshold: ${RESTARTS}`,
    changes: [{ object: policy.id, path: `data[${policy.key}]`, value: document.toString() }],
  }
}

/** The policy with arguments of plugins set, in the first profile that removes by restarts. */
function changed({ related }: RemedyContext, says: string, changes: readonly Change[]): Candidate {
  const policy = related.policy!
  const document = parseDocument(textOf(policy))
  for (const [plugin, arg, value] of changes) {
    const at = placeOf(document.toJS(), plugin)
    if (at.config < 0)
      document.addIn(['profiles', at.profile, 'pluginConfig'], { name: plugin, args: { [arg]: value } })
    else document.setIn(['profiles', at.profile, 'pluginConfig', at.config, 'args', arg], value)
  }
  return { says, changes: [{ object: policy.id, path: `data[${policy.key}]`, value: document.toString() }] }
}

interface Written {
  readonly profiles?: readonly Profile[]
}

interface Profile {
  readonly pluginConfig?: readonly { readonly name: string; readonly args?: Readonly<Record<string, unknown>> }[]
  readonly plugins?: { readonly deschedule?: { readonly enabled?: readonly string[] } }
}

const isForRestarts = ({ plugins }: Profile): boolean => plugins?.deschedule?.enabled?.includes(PLUGIN) ?? false

function placeOf({ profiles = [] }: Written, plugin: string): { profile: number; config: number } {
  const profile = profiles.findIndex(isForRestarts)
  return { profile, config: profiles[profile]?.pluginConfig?.findIndex(({ name }) => name === plugin) ?? -1 }
}

function argOf(text: string, plugin: string, arg: string): unknown {
  const written = parseDocument(text).toJS() as Written
  const { profile, config } = placeOf(written, plugin)
  return written.profiles?.[profile]?.pluginConfig?.[config]?.args?.[arg]
}
