import { defaultProfile, type LagProfile } from '../../sandbox/kube/lag.ts'
import type { Draft, KubeObject } from '../../sandbox/kube/objects.ts'
import type { SandboxOptions } from '../../sandbox/tiers/tier.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { assumedObjects } from '../assumed-objects.ts'
import { clusterSetup } from '../cluster-setup.ts'
import { findServers, inputsOf } from '../inference-servers.ts'
import { imageFamily } from '../platform/inputs/images.ts'
import type { Platform } from '../platform/platform.ts'
import { monitoringOf } from '../platform/roles/autoscaling/monitoring.ts'
import { remediationIn } from '../platform/roles/remediation.ts'
import { type AskedNodes, nodeGroups } from './node-groups.ts'
import { livePrograms } from './programs.ts'

export interface StayingOptions extends AskedNodes {
  /** Undefined: nothing is applied. */
  readonly platform?: Platform
  /** Requests a second of the scheduler and of each controller, with bursts of twice that; upstream's limits where it is left out. */
  readonly qps?: number
  readonly loadTimeUs?: Us
}

/** A sandbox that stays: what it is made of, and what is applied to it. Throws PlatformErrors. */
export interface StayingSetup {
  readonly options: SandboxOptions
  readonly objects: readonly Draft<KubeObject>[]
}

const NOTHING: Platform = { name: 'sandbox', objects: [], notes: [], files: [] }
/** A sandbox that stays is watched by people, not compared with another: any seed will do. */
const SEED = 1

export function stayingSetup(asked: StayingOptions): StayingSetup {
  const platform = asked.platform ?? NOTHING
  const inputs = inputsOf(platform, findServers(platform))
  const nodes = nodeGroups(asked, asked.platform ? inputs.nodes.value : undefined)
  const objects = [
    ...assumedObjects(platform),
    ...platform.objects.map(({ manifest }) => manifest),
  ] as unknown as Draft<KubeObject>[]
  const { descheduler } = remediationIn(objects)
  return {
    objects,
    options: {
      seed: SEED,
      nodes,
      programFor: livePrograms({
        platform,
        nodes,
        ...(asked.loadTimeUs === undefined ? {} : { loadTimeUs: asked.loadTimeUs }),
      }),
      imageBytes: (image) =>
        inputs.imageBytes[image.replace(/@sha256:.*$/, '')]?.value ??
        inputs.imageBytes[image]?.value ??
        imageFamily(image).bytes,
      registryBytesPerSecond: inputs.registryBytesPerSecond.value,
      lag: limitedTo(asked.qps),
      // `kubectl top` and HPAs that are applied later ask it
      monitoring: { ...monitoringOf(platform), metricsServer: true },
      ...(descheduler ? { descheduler } : {}),
      ...clusterSetup(platform, nodes, { inputs, overrides: {} }).parts,
    },
  }
}

function limitedTo(qps: number | undefined): LagProfile {
  if (qps === undefined) return defaultProfile
  const limit = { qps, burst: 2 * qps }
  return {
    ...defaultProfile,
    name: `${qps} requests/s`,
    clients: { ...defaultProfile.clients, 'kube-controller-manager': limit, 'kube-scheduler': limit },
  }
}
