import { parseDocument } from 'yaml'
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
        candidates: [],
      }
    const given = argOf(textOf(policy), PLUGIN, 'podRestartThreshold')
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
      ].slice(protectsLocalStorage(context) ? 0 : 1),
    }
  },
})

type Policy = NonNullable<RemedyContext['related']['policy']>
type Change = readonly [plugin: string, arg: string, value: unknown]

const textOf = ({ manifest, key }: Policy): string => (manifest['data'] as Record<string, string>)[key]!

const protectsLocalStorage = ({ deployment, related }: RemedyContext): boolean =>
  (deployment.spec.template.spec.volumes ?? []).some(({ emptyDir, hostPath }) => emptyDir || hostPath) &&
  argOf(textOf(related.policy!), 'DefaultEvictor', 'evictLocalStoragePods') !== true

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
  readonly profiles?: readonly {
    readonly pluginConfig?: readonly { readonly name: string; readonly args?: Readonly<Record<string, unknown>> }[]
    readonly plugins?: { readonly deschedule?: { readonly enabled?: readonly string[] } }
  }[]
}

function placeOf({ profiles = [] }: Written, plugin: string): { profile: number; config: number } {
  const profile = profiles.findIndex(({ plugins }) => plugins?.deschedule?.enabled?.includes(PLUGIN))
  return { profile, config: profiles[profile]?.pluginConfig?.findIndex(({ name }) => name === plugin) ?? -1 }
}

function argOf(text: string, plugin: string, arg: string): unknown {
  const written = parseDocument(text).toJS() as Written
  const { profile, config } = placeOf(written, plugin)
  return written.profiles?.[profile]?.pluginConfig?.[config]?.args?.[arg]
}
