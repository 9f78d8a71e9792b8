import type { Container, Pod } from '../../sandbox/kube/objects.ts'
import type { NodeGroup, ProgramFor } from '../../sandbox/tiers/tier.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { findServers, inputsOf, programsFor } from '../inference-servers.ts'
import { initTimes } from '../init-times.ts'
import { manifestsText, withFiles } from '../platform/add.ts'
import { PlatformErrors } from '../platform/errors.ts'
import type { Platform } from '../platform/platform.ts'

export interface LivePrograms {
  /** What was given when the sandbox was made; its settings hold for what is applied later, too. */
  readonly platform: Platform
  readonly nodes: readonly NodeGroup[]
  /** How long models load, where it was said instead of estimated. */
  readonly loadTimeUs?: Us
}

/**
 * What the containers of a sandbox run to which people apply what they like: vLLM where the pod's own image, command and flags say
 * so, whether or not its workload was among the first manifests.
 */
export function livePrograms(options: LivePrograms): ProgramFor {
  const given = programsOf(options.platform, options)
  const known = new Map<string, ProgramFor>()
  return (pod, container, on) => {
    if (given.knows(pod)) return given.programFor(pod, container, on)
    const template = templateOf(pod)
    const key = JSON.stringify([pod.metadata.namespace, template])
    let programFor = known.get(key)
    if (!programFor) {
      programFor = programsOf(platformOf(options.platform, pod, template), options).programFor
      known.set(key, programFor)
    }
    return programFor(pod, container, on)
  }
}

function programsOf(platform: Platform, { nodes, loadTimeUs }: LivePrograms) {
  const servers = findServers(platform)
  const inputs = inputsOf(platform, servers)
  return {
    knows: (pod: Pod) =>
      servers.some(
        ({ object, template }) =>
          (object.manifest.metadata.namespace ?? 'default') === pod.metadata.namespace &&
          Object.entries(template.labels).every(([key, value]) => pod.metadata.labels?.[key] === value) &&
          pod.spec.containers.every(({ image }, i) => image === template.spec.containers[i]?.image),
      ),
    programFor: programsFor({
      servers,
      nodes,
      platform,
      loadTimeUs: (id) => loadTimeUs ?? inputs.servers[id]!.loadTimeUs.value,
      idleCpuCores: (id) => inputs.servers[id]!.idleCpuCores.value,
      initTimeUs: initTimes(inputs, {}).of,
    }),
  }
}

/** What of a pod decides what it runs: nothing that differs between two of one template. */
const templateOf = ({ metadata, spec }: Pod) => ({
  metadata: { labels: metadata.labels ?? {} },
  spec: {
    containers: spec.containers.map(written),
    ...(spec.initContainers ? { initContainers: spec.initContainers.map(written) } : {}),
    ...(spec.nodeSelector ? { nodeSelector: spec.nodeSelector } : {}),
  },
})

/** Without the token the API server mounts, whose volume is no part of the template. */
function written({ volumeMounts: _, ...container }: Container) {
  return container
}

/** The platform's settings with a workload that makes such pods. One whose pods cannot be read as a manifest runs nothing of note. */
function platformOf(base: Platform, pod: Pod, template: ReturnType<typeof templateOf>): Platform {
  const { config, ...rest } = base
  const settings = config ? { config: { ...config, workloads: {}, models: config.models ?? {} } } : {}
  const empty: Platform = { ...rest, ...settings, objects: [], files: [] }
  const owner = pod.metadata.ownerReferences?.[0]?.name ?? pod.metadata.name
  const manifest = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: owner, namespace: pod.metadata.namespace ?? 'default' },
    spec: { selector: { matchLabels: template.metadata.labels }, template },
  }
  try {
    return withFiles(empty, [{ file: 'applied.yaml', text: manifestsText([manifest]) }])
  } catch (error) {
    if (error instanceof PlatformErrors) return empty
    throw error
  }
}
