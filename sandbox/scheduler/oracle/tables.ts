import { join } from 'node:path'
import { askOracle, sourcesOf } from '../../../fixtures/oracles/program.ts'
import type * as o from '../../kube/objects.ts'
import type { SchedulingCase } from './case.ts'

/** A row of one of upstream's table tests. */
export interface TableCase extends SchedulingCase {
  /** `filtering_test.go:108` */
  readonly place: string
}

/** Plugins whose tests hold clusters and pods. */
const PLUGINS = [
  ...[
    'defaultpreemption',
    'imagelocality',
    'interpodaffinity',
    'nodeaffinity',
    'nodename',
    'nodeports',
    'noderesources',
  ],
  ...['nodeunschedulable', 'podtopologyspread', 'tainttoleration', 'volumebinding', 'volumerestrictions', 'volumezone'],
]

const MODULES = ['k8s.io/api', 'k8s.io/apimachinery'] as const

const configuration = {
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  percentageOfNodesToScore: 100,
}

/**
 * What upstream's own tests of the plugins place where, as far as it can be read from their tables without running them, for the default
 * profile. Read from the sources the oracle is built from; none of it is kept here.
 */
export async function tableCases(program: string): Promise<TableCase[]> {
  const kubernetes = await sourcesOf('k8s.io/kubernetes')
  const folders = PLUGINS.map((plugin) => join(kubernetes, 'pkg/scheduler/framework/plugins', plugin))
  const sources: Record<string, string> = {}
  for (const module of MODULES) sources[module] = await sourcesOf(module)
  const [rows] = await askOracle<Pick<TableCase, 'place' | 'pod' | 'objects'>[]>(program, [
    { tables: { folders, sources } },
  ])
  return rows!
    .filter((row) => !JSON.stringify(row).includes(UNSTORABLE))
    .map(({ objects, ...row }) => ({ configuration, ...row, objects: objects.map(completed) }))
}

/** What no API server lets through: a value of a label that is none. */
const UNSTORABLE = '{{.bad-value.}}'

/** Names and images an API server would ask for. */
function completed(object: o.KubeObject): o.KubeObject {
  if (object.kind === 'Node')
    return { ...object, metadata: { ...object.metadata, name: object.metadata.name ?? 'node' } }
  if (object.kind === 'StorageClass') return { volumeBindingMode: 'Immediate', ...object } as o.KubeObject
  if (object.kind !== 'Pod') return object
  const { spec, ...pod } = object as o.Pod
  const named = (containers: readonly o.Container[]) =>
    containers.map((container) => ({ ...container, image: container.image ?? 'image' }))
  const { containers, initContainers } = spec
  const all = { containers: named(containers), ...(initContainers ? { initContainers: named(initContainers) } : {}) }
  return { ...pod, spec: { ...spec, ...all } } as o.Pod
}
