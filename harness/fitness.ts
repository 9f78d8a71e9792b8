import type { FoundServer } from './inference-servers.ts'
import type { Platform } from './platform/platform.ts'
import { type Scaling, scalingOf } from './platform/roles/autoscaling/scaling.ts'
import type { Need, Scenario } from './scenario.ts'

/** Why a scenario is not for a server, as its manifests tell; undefined: it can be run. */
export function whyUnfit(scenario: Scenario, server: FoundServer, platform: Platform): string | undefined {
  const { kind } = server.object.manifest
  const kinds = scenario.needs.flatMap((need) => need.kinds ?? [])
  if (kinds.length > 0 && !kinds.includes(kind)) return `it is a ${kind}; this scenario is for ${kinds.join(', ')}`
  const scaling = scalingOf(platform, server)
  for (const need of scenario.needs) {
    const why = need.role === 'autoscaler' ? whyNotScaled(need, scaling) : undefined
    if (why) return why
  }
  return whyAtRest(server, scaling)
}

function whyNotScaled({ toZero, onSeries }: Need, scaling: Scaling | undefined): string | undefined {
  if (!scaling) return 'no HorizontalPodAutoscaler or ScaledObject scales it'
  const { minReplicas, maxReplicas, idleReplicas, signals, object } = scaling
  const name = `${object.manifest.kind} ${object.manifest.metadata.name}`
  if ((idleReplicas ?? minReplicas) >= maxReplicas)
    return `${name} has ${minReplicas} replicas at least and ${maxReplicas} at most: nothing to scale`
  if (toZero && !scaling.toZero) return `${name} never goes to zero`
  if (onSeries && !signals.some(({ kind }) => SERIES.has(kind))) return `${name} looks at no series of a Prometheus`
  return undefined
}

const SERIES: ReadonlySet<string> = new Set(['pods', 'object', 'external', 'prometheus'])

/** Nothing of it would run, so that there is nothing to judge. An autoscaler may yet wake what has no replicas. */
function whyAtRest({ object }: FoundServer, scaling: Scaling | undefined): string | undefined {
  const { replicas, paused } = (object.manifest['spec'] ?? {}) as { replicas?: number; paused?: boolean }
  if (replicas === 0 && scaling?.kind !== 'keda') return 'spec.replicas is 0: nothing runs'
  return paused ? 'spec.paused is true: nothing is rolled out' : undefined
}
