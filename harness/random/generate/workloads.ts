import { seconds } from '../../../sandbox/world/time.ts'
import type { Chance } from '../chance.ts'
import type { Manifest, RandomWorkload } from '../platform.ts'
import { endingContainer, plainContainer, vllmContainer } from './containers.ts'
import { GPU_TAINT } from './nodes.ts'

type Fields = Record<string, unknown>

/** A workload with the objects that belong to it alone: Service, claims. */
export interface MadeWorkload {
  readonly workload: RandomWorkload
  readonly objects: readonly Manifest[]
}

export interface WorkloadOptions {
  readonly name: string
  readonly namespace: string
  readonly priorityClasses: readonly string[]
  /** More pods, most of them well: for platforms where pods move. */
  readonly roomy: boolean
}

/** A workload of any kind; a vLLM server about half of the time. */
export function randomWorkload(chance: Chance, options: WorkloadOptions): MadeWorkload {
  const { name, namespace, roomy } = options
  const scaled = ['Deployment', 'Deployment', 'Deployment', 'StatefulSet'] as const
  const kind = chance.oneOf(
    roomy ? ([...scaled, ...scaled, 'StatefulSet', 'Job'] as const) : ([...scaled, 'DaemonSet', 'Job'] as const),
  )
  const server = kind !== 'DaemonSet' && kind !== 'Job' && chance.yes(roomy ? 0.25 : 0.6)
  const template = kind === 'Job' ? jobTemplate(chance, options) : serviceTemplate(chance, options, server)
  const claim = !server && kind !== 'Job' && chance.yes(0.08)
  const hasService = template.port !== undefined && chance.yes(0.8)
  const servicePort = 80
  const object: Manifest = {
    apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      ...specOf(chance, kind, { name, many: roomy && !server }),
      template: claim ? withClaim(template.fields, `${name}-data`) : template.fields,
    },
  }
  return {
    workload: {
      kind,
      namespace,
      name,
      server,
      sound: template.sound && !claim,
      loadTimeUs: seconds(chance.oneOf([10, 40, 150])),
      requestsPerSecond: server && hasService && chance.yes(0.5) ? chance.oneOf([0.2, 1, 3]) : 0,
      ...(hasService ? { servicePort } : {}),
    },
    objects: [
      ...(claim ? [claimOf(chance, `${name}-data`, namespace)] : []),
      ...(hasService ? [serviceOf(chance, options, servicePort)] : []),
      object,
    ],
  }
}

function specOf(chance: Chance, kind: RandomWorkload['kind'], { name, many }: { name: string; many: boolean }): Fields {
  const selector = { matchLabels: { app: name } }
  const replicas = chance.oneOf(many ? [1, 3, 4, 5, 6, 8, 12] : [0, 1, 1, 2, 2, 3, 4, 6])
  switch (kind) {
    case 'Deployment':
      return {
        replicas,
        selector,
        ...chance.fields(0.3, () => ({ progressDeadlineSeconds: chance.oneOf([30, 120, 3600]) })),
        ...chance.fields(0.2, () => ({ minReadySeconds: chance.oneOf([1, 15]) })),
        ...chance.fields(0.2, () => ({ revisionHistoryLimit: chance.oneOf([0, 1, 2]) })),
        ...chance.fields(0.6, () => ({ strategy: strategyOf(chance) })),
      }
    case 'StatefulSet':
      return {
        replicas,
        selector,
        serviceName: name,
        ...chance.fields(0.5, () => ({ podManagementPolicy: 'Parallel' })),
        ...chance.fields(0.2, () => ({ ordinals: { start: 3 } })),
        ...chance.fields(0.3, () => ({
          updateStrategy: chance.yes(0.3)
            ? { type: 'OnDelete' }
            : { type: 'RollingUpdate', rollingUpdate: { partition: chance.oneOf([0, 1]) } },
        })),
      }
    case 'DaemonSet':
      return {
        selector,
        ...chance.fields(0.4, () => ({
          updateStrategy: chance.yes(0.3)
            ? { type: 'OnDelete' }
            : { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: chance.oneOf([1, 2, '50%']) } },
        })),
      }
    case 'Job':
      return {
        completions: chance.whole(1, 4),
        parallelism: chance.whole(1, 3),
        backoffLimit: chance.oneOf([0, 2, 6]),
        ...chance.fields(0.4, () => ({ completionMode: 'Indexed' })),
        ...chance.fields(0.2, () => ({ ttlSecondsAfterFinished: chance.oneOf([0, 60]) })),
        ...chance.fields(0.15, () => ({ activeDeadlineSeconds: chance.oneOf([20, 300]) })),
        ...chance.fields(0.2, () => ({ podReplacementPolicy: 'Failed' })),
      }
  }
}

function strategyOf(chance: Chance): Fields {
  if (chance.yes(0.2)) return { type: 'Recreate' }
  const maxSurge = chance.oneOf([0, 1, '25%', '100%'])
  return { rollingUpdate: { maxSurge, maxUnavailable: maxSurge === 0 ? 1 : chance.oneOf([0, 1, '50%']) } }
}

function serviceTemplate(chance: Chance, { name, priorityClasses, roomy }: WorkloadOptions, server: boolean) {
  const main = server ? vllmContainer(chance, chance.oneOf([1, 1, 1, 2, 4])) : plainContainer(chance, { roomy })
  const badInit = chance.yes(0.03)
  const init = [
    ...(chance.yes(0.2) || badInit ? [endingContainer(chance, 'init', chance.oneOf([0, 3, 30]), badInit)] : []),
    ...(chance.yes(0.12) ? [{ name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' }] : []),
  ]
  const side = chance.yes(0.15) ? [{ name: 'side', image: 'side:1' }] : []
  return {
    fields: {
      metadata: { labels: { app: name, tier: chance.oneOf(['a', 'b']) } },
      spec: {
        containers: [main.container, ...side],
        ...(init.length > 0 ? { initContainers: init } : {}),
        ...placement(chance, { name, server, roomy }),
        ...chance.fields(0.4, () => ({ terminationGracePeriodSeconds: chance.oneOf([0, 1, 10, 90]) })),
        ...priority(chance, priorityClasses),
      },
    } as Fields,
    sound: main.sound && !badInit,
    port: main.port,
  }
}

function jobTemplate(chance: Chance, { name, priorityClasses }: WorkloadOptions) {
  const fails = chance.yes(0.2)
  return {
    fields: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [endingContainer(chance, 'work', chance.oneOf([1, 20, 90]), fails)],
        restartPolicy: chance.oneOf(['Never', 'OnFailure']),
        ...priority(chance, priorityClasses),
      },
    } as Fields,
    sound: !fails,
    port: undefined,
  }
}

const priority = (chance: Chance, classes: readonly string[]): Fields =>
  classes.length > 0 ? chance.fields(0.5, () => ({ priorityClassName: chance.oneOf(classes) })) : {}

function placement(chance: Chance, { name, server, roomy }: { name: string; server: boolean; roomy: boolean }): Fields {
  const labelSelector = { matchLabels: { app: name } }
  const zone = 'topology.kubernetes.io/zone'
  const term = { labelSelector, topologyKey: chance.oneOf(['kubernetes.io/hostname', zone]) }
  return {
    ...(server || roomy ? chance.fields(0.9, () => ({ tolerations: [{ key: GPU_TAINT, operator: 'Exists' }] })) : {}),
    ...chance.fields(roomy ? 0.05 : 0.15, () => ({ nodeSelector: { pool: `pool${chance.whole(0, 1)}` } })),
    ...chance.fields(0.15, () => ({
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: term.topologyKey,
          whenUnsatisfiable: chance.oneOf(['DoNotSchedule', 'ScheduleAnyway']),
          labelSelector,
        },
      ],
    })),
    ...chance.fields(0.15, () => ({
      affinity: {
        podAntiAffinity: chance.yes(0.5)
          ? { requiredDuringSchedulingIgnoredDuringExecution: [term] }
          : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: term }] },
      },
    })),
  }
}

function withClaim(template: Fields, claimName: string): Fields {
  const spec = template['spec'] as Fields
  return { ...template, spec: { ...spec, volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] } }
}

const claimOf = (chance: Chance, name: string, namespace: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace },
  spec: {
    accessModes: [chance.oneOf(['ReadWriteOnce', 'ReadWriteMany'])],
    resources: { requests: { storage: '10Gi' } },
  },
})

const serviceOf = (chance: Chance, { name, namespace }: WorkloadOptions, port: number): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace, labels: { app: name } },
  spec: {
    selector: { app: name },
    ports: [{ name: 'http', port, targetPort: 'http' }],
    ...chance.fields(0.1, () => ({ publishNotReadyAddresses: true })),
  },
})
