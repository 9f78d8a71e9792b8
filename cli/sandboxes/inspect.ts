import { readFileSync } from 'node:fs'
import { recordedIn } from '../../sandbox/tiers/control-plane/orphans.ts'
import { usageOf } from '../../sandbox/tiers/control-plane/processes.ts'
import { type Access, accessIn, getText } from '../../sandbox/tiers/control-plane/ready.ts'
import { kubeconfigOf, type SandboxState } from './state.ts'

/** What a sandbox that stays is like now. */
export interface SandboxStatus {
  readonly name: string
  readonly tier: string
  readonly since: string
  readonly phase: SandboxState['phase']
  readonly server?: string
  readonly kubeconfig?: string
  readonly upMs?: number
  readonly apiRequestsPerSecond?: number
  /** Undefined where the API server does not answer. */
  readonly nodes?: { readonly ready: number; readonly total: number }
  /** By phase. */
  readonly pods?: Readonly<Record<string, number>>
  readonly autoscalers?: readonly AutoscalerStatus[]
  readonly processes: readonly {
    readonly name: string
    readonly pid: number
    readonly cpuSeconds: number
    readonly residentBytes: number
  }[]
}

export interface AutoscalerStatus {
  readonly namespace: string
  readonly name: string
  readonly target: string
  readonly minReplicas: number
  readonly maxReplicas: number
  readonly currentReplicas: number
  readonly desiredReplicas: number
}

/** Asks the API server and the kernel. */
export async function inspect(state: SandboxState): Promise<SandboxStatus> {
  const { name, tier, since, phase, server, upMs, qps } = state
  return {
    ...{ name, tier, since, phase },
    ...(server === undefined ? {} : { server }),
    ...(phase === 'up' ? { kubeconfig: kubeconfigOf(name) } : {}),
    ...(upMs === undefined ? {} : { upMs }),
    ...(qps === undefined ? {} : { apiRequestsPerSecond: qps }),
    ...(phase === 'up' ? await objectsOf(name).catch(() => ({})) : {}),
    processes: processesOf(state),
  }
}

interface Item {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec?: {
    readonly minReplicas?: number
    readonly maxReplicas?: number
    readonly scaleTargetRef?: { kind: string; name: string }
  }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly currentReplicas?: number
    readonly desiredReplicas?: number
  }
}

async function objectsOf(name: string): Promise<Pick<SandboxStatus, 'nodes' | 'pods' | 'autoscalers'>> {
  const access = accessIn(readFileSync(kubeconfigOf(name), 'utf8'))
  const [nodes, pods, autoscalers] = await Promise.all([
    itemsAt(access, '/api/v1/nodes'),
    itemsAt(access, '/api/v1/pods'),
    itemsAt(access, '/apis/autoscaling/v2/horizontalpodautoscalers'),
  ])
  const isReady = ({ status }: Item) => status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')
  const phases = Map.groupBy(pods, ({ status }) => status?.phase ?? 'Unknown')
  return {
    nodes: { ready: nodes.filter(isReady).length, total: nodes.length },
    pods: Object.fromEntries([...phases].map(([phase, of]) => [phase, of.length] as const).sort()),
    autoscalers: autoscalers.map(({ metadata, spec, status }) => ({
      namespace: metadata.namespace,
      name: metadata.name,
      target: `${spec?.scaleTargetRef?.kind}/${spec?.scaleTargetRef?.name}`,
      minReplicas: spec?.minReplicas ?? 1,
      maxReplicas: spec?.maxReplicas ?? 0,
      currentReplicas: status?.currentReplicas ?? 0,
      desiredReplicas: status?.desiredReplicas ?? 0,
    })),
  }
}

const itemsAt = async (access: Access, path: string): Promise<readonly Item[]> =>
  // from the watch cache: nothing is asked of etcd
  (JSON.parse(await getText(access, `${path}?resourceVersion=0`)) as { items: readonly Item[] }).items

function processesOf({ owner, folder }: SandboxState): SandboxStatus['processes'] {
  const all = [{ ...owner, name: 'seatrial' }, ...(folder ? recordedIn(folder) : [])]
  return all.flatMap((one) => {
    const usage = usageOf(one)
    return usage ? [{ name: one.name, pid: one.pid, ...usage }] : []
  })
}
