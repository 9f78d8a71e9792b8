import { longLength } from './load/lengths.ts'
import { noticesOf } from './platform/roles/spot.ts'
import type { Need, Scenario } from './scenario.ts'
import type { Setup } from './setup.ts'

/** Why a scenario has nothing to say about what was set up; undefined where it has. */
export function unmetNeed({ needs }: Scenario, setup: Setup): string | undefined {
  for (const { role } of needs) {
    const why = UNMET[role]?.(setup)
    if (why) return why
  }
  return undefined
}

/** DaemonSets and operators that run GPUs, and what acts on sick nodes and devices. */
const NODE_AGENTS =
  /k8s-device-plugin|gpu-operator|nvidia\/driver|dcgm|node-problem-detector|descheduler|draino|nvsentinel|node-healthcheck|self-node-remediation|autopilot/

const declaresNodeAgents = ({ objects }: Setup): boolean =>
  objects.some((object) => object.kind === 'ClusterPolicy' || NODE_AGENTS.test(imagesIn(object)))

function imagesIn(object: Setup['objects'][number]): string {
  const { spec } = object as unknown as {
    spec?: {
      template?: { spec?: { containers?: { image?: string }[] } }
      jobTemplate?: { spec?: { template?: { spec?: { containers?: { image?: string }[] } } } }
    }
  }
  const pod = spec?.jobTemplate?.spec?.template?.spec ?? spec?.template?.spec
  return (pod?.containers ?? []).map(({ image = '' }) => image).join(' ')
}

const UNMET: Partial<Record<Need['role'], (setup: Setup) => string | undefined>> = {
  gpus: ({ subject }) => (subject.gpus > 0 ? undefined : 'its pods ask for no GPU'),
  'kv-pressure': ({ kvCache, workload }) => {
    if (!kvCache) return undefined
    const longest = Math.min(kvCache.maxTokens, longLength(workload.promptTokens) + longLength(workload.outputTokens))
    return kvCache.maxRequests * longest <= kvCache.tokens
      ? `its KV cache (${kvCache.tokens} tokens) holds the ${kvCache.maxRequests} requests it runs at once, each as long as 5 % of this workload’s are`
      : undefined
  },
  'node-agents': (setup) =>
    declaresNodeAgents(setup)
      ? undefined
      : 'the manifests hold no device plugin, GPU operator, descheduler or remediator: what becomes of a lost GPU is decided elsewhere',
  'spot-nodes': (setup) =>
    noticesOf(setup).spot
      ? undefined
      : 'nothing says that its nodes are spot or preemptible: label the nodes in seatrial.yaml as the provider does',
}
