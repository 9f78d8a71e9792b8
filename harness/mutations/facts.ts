import { type Files, look, type Parsed, type Plain, parsed } from './edit.ts'
import { config, container, deployment, own, pod } from './places.ts'

/** Plain figures of a platform, read from its files by this module alone: nothing of what judges platforms is used. */
export interface Facts {
  readonly replicas: number
  /** Less those that other Deployments fill, packed as tight as can be. */
  readonly nodes: number
  readonly gpusPerNode: number
  readonly gpusPerPod: number
  /** Pods a rollout may have too many, and may take away. */
  readonly surge: number
  readonly unavailable: number
  readonly recreate: boolean
  readonly loadSeconds: number
  /** How long a container may load before a startup probe, or a liveness probe without one, kills it; undefined: as long as it likes. */
  readonly startSeconds: number | undefined
  readonly graceSeconds: number
  readonly preStopSeconds: number
  readonly shutdownTimeoutSeconds: number
  /** How many pods a disruption budget lets go when all are healthy; undefined: no budget. */
  readonly disruptions: number | undefined
  readonly tensorParallel: number
}

export function factsOf(files: Files): Facts {
  const platform = parsed(files)
  const at = (place: Parameters<typeof look>[1]) => look(platform, place)
  const number = (place: Parameters<typeof look>[1], otherwise: number) => Number(at(place) ?? otherwise)
  const replicas = number(deployment('/spec/replicas'), 1)
  const gpusPerNode = number(config('/nodes/0/gpu/count'), 0)
  const share = (place: Parameters<typeof look>[1], round: (n: number) => number) =>
    shareOf(at(place) ?? '25%', replicas, round)
  const away = deployment('/spec/strategy/rollingUpdate/maxUnavailable')
  const surge = share(deployment('/spec/strategy/rollingUpdate/maxSurge'), Math.ceil)
  const unavailable = share(away, Math.floor)
  return {
    replicas,
    nodes: number(config('/nodes/0/count'), 1) - Math.ceil(gpusOfOthers(platform) / gpusPerNode),
    gpusPerNode,
    gpusPerPod: number(container('/resources/limits/nvidia.com~1gpu'), 0),
    surge,
    // shares that both come to none count as one that may be missing
    unavailable: surge === 0 && unavailable === 0 && Number.parseFloat(String(at(away) ?? '25%')) > 0 ? 1 : unavailable,
    recreate: at(deployment('/spec/strategy/type')) === 'Recreate',
    loadSeconds: secondsOf(
      Object.values((at(config('/models')) ?? {}) as Record<string, { loadTime?: unknown }>)[0]?.loadTime,
    ),
    startSeconds: startOf(platform),
    graceSeconds: number(pod('/terminationGracePeriodSeconds'), 30),
    preStopSeconds: number(container('/lifecycle/preStop/sleep/seconds'), 0),
    shutdownTimeoutSeconds: flagOf(platform, 'shutdown-timeout', 0),
    disruptions: disruptionsOf(platform, replicas),
    tensorParallel: flagOf(platform, 'tensor-parallel-size', 1),
  }
}

const GPU = 'nvidia.com/gpu'

/** GPUs that Deployments besides the server ask for. */
function gpusOfOthers({ objects }: Parsed): number {
  const others = objects.filter(({ kind, metadata }) => kind === 'Deployment' && (metadata as Plain).name !== 'chat')
  return others.reduce((sum, { spec }) => {
    const { replicas = 1, template } = spec as { replicas?: number; template: { spec: { containers: Plain[] } } }
    const each = template.spec.containers.map(({ resources }) =>
      Number((resources as { limits?: Record<string, unknown> } | undefined)?.limits?.[GPU] ?? 0),
    )
    return sum + replicas * each.reduce((a, b) => a + b, 0)
  }, 0)
}

/** `540s`, `9m`; NaN for what is neither. */
function secondsOf(text: unknown): number {
  const [, value, unit] = /^([\d.]+)(s|m)$/.exec(String(text)) ?? []
  return Number(value) * (unit === 'm' ? 60 : 1)
}

function shareOf(value: unknown, of: number, round: (n: number) => number): number {
  return typeof value === 'string' && value.endsWith('%') ? round((Number.parseFloat(value) / 100) * of) : Number(value)
}

function startOf(platform: Parsed): number | undefined {
  for (const name of ['startupProbe', 'livenessProbe']) {
    const probe = look(platform, container(`/${name}`)) as Record<string, number> | undefined
    if (!probe) continue
    return (probe.initialDelaySeconds ?? 0) + (probe.periodSeconds ?? 10) * (probe.failureThreshold ?? 3)
  }
  return undefined
}

function flagOf(platform: Parsed, name: string, otherwise: number): number {
  const args = (look(platform, container('/args')) ?? []) as string[]
  return Number(args.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise)
}

/** `policy/v1`: a percentage of either field is rounded up. */
function disruptionsOf(platform: Parsed, replicas: number): number | undefined {
  const spec = look(platform, own('PodDisruptionBudget', '/spec')) as
    | { maxUnavailable?: unknown; minAvailable?: unknown }
    | undefined
  if (!spec) return undefined
  const most = spec.maxUnavailable ?? undefined
  if (most !== undefined) return Math.min(replicas, shareOf(most, replicas, Math.ceil))
  return Math.max(0, replicas - shareOf(spec.minAvailable, replicas, Math.ceil))
}
