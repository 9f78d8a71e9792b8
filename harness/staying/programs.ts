import type { Container, Pod } from '../../sandbox/kube/objects.ts'
import type { NodeGroup, ProgramFor } from '../../sandbox/tiers/tier.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { findServers, inputsOf, programsFor } from '../inference-servers.ts'
import { initTimes } from '../init-times.ts'
import { manifestsText, withFiles } from '../platform/add.ts'
import { PlatformErrors } from '../platform/errors.ts'
import type { Platform } from '../platform/platform.ts'
import type { WrittenContainer } from '../platform/roles/pod-templates.ts'

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
      programFor = programOfPod(pod, template, options)
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
          pod.spec.containers.every((one, i) => toldBy(one) === toldBy(template.spec.containers[i])),
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

/**
 * By all the settings of the platform where they are about such a pod, else by those that are about no workload. What cannot be read as a
 * manifest runs nothing of note.
 */
function programOfPod(pod: Pod, template: ReturnType<typeof templateOf>, options: LivePrograms): ProgramFor {
  const { config, ...rest } = options.platform
  const { workloads: _w, models: _m, images: _i, containers: _c, prices: _p, ...general } = config ?? {}
  const empty: Platform = { ...rest, objects: [], files: [] }
  const owner = pod.metadata.ownerReferences?.[0]?.name ?? pod.metadata.name
  const manifest = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: owner, namespace: pod.metadata.namespace ?? 'default' },
    spec: { selector: { matchLabels: template.metadata.labels }, template },
  }
  const file = { file: 'applied.yaml', text: manifestsText([manifest]) }
  const bases = config ? [{ ...empty, config }, { ...empty, config: general as typeof config }, empty] : [empty]
  for (const base of bases) {
    try {
      return programsOf(withFiles(base, [file]), options).programFor
    } catch (error) {
      if (!(error instanceof PlatformErrors)) throw error
    }
  }
  return programsOf(empty, options).programFor
}

/** What of a container decides what it runs. */
const toldBy = (container: WrittenContainer | undefined): string =>
  JSON.stringify([
    container?.image,
    container?.command,
    container?.args,
    container?.env?.map(({ name, value }) => [name, value ?? '']),
  ])
