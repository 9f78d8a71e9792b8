import { parse, YAMLParseError } from 'yaml'
import {
  parseSchedulerConfiguration,
  type SchedulerConfiguration,
  SchedulerConfigurationError,
} from '../../../sandbox/scheduler/config/configuration.ts'
import type { SchedulerProcess } from '../../../sandbox/tiers/scheduler-options.ts'
import { locate, type SourcePosition } from '../locate.ts'
import { parsePath } from '../path.ts'
import { type Platform, type PlatformObject, type SchedulerFile, sourceOf } from '../platform.ts'
import { readOnce } from '../read-once.ts'
import { type MountedConfig, schedulerPods } from './scheduler-pods.ts'

/** Who places pods, as a platform declares it. */
export interface Schedulers {
  /** Every kube-scheduler, the cluster's own first. */
  readonly processes: readonly SchedulerProcess[]
  /** Whether anything is declared of schedulers: then a name that none has is nobody's. */
  readonly declared: boolean
  /** What of it cannot be honoured. */
  readonly problems: readonly SchedulerProblem[]
  /** What was read, in words; empty where nothing is declared. */
  readonly taken: readonly string[]
}

export interface SchedulerProblem {
  readonly what: string
  readonly why: string
  readonly source: SourcePosition
}

const DEFAULT = 'default-scheduler'

/** The schedulers of other projects that are often installed apart from a platform: pods that name one are placed by it. */
const OTHERS =
  /volcano|yunikorn|kai-scheduler|runai|koord|scheduler-plugins|stork|binpacking-scheduler|godel|katalyst|hami|kueue|optimize-utilization/i

/** Who places pods. */
export const schedulersOf = readOnce(readSchedulers)

/** Reads `cluster.scheduler`, KubeSchedulerConfigurations among the manifests, and those that deployed kube-schedulers mount. */
function readSchedulers(platform: Platform): Schedulers {
  const problems: SchedulerProblem[] = []
  const taken: string[] = []
  const processes: SchedulerProcess[] = []
  const add = (process: string, { configuration, document }: Read, from: string) => {
    processes.push({ process, configuration, document })
    taken.push(`scheduler profiles of ${from}: ${namesOf(configuration).join(', ')}`)
  }
  for (const file of platform.schedulers ?? []) {
    const found = fromFile(file, problems)
    if (!found) continue
    const names = namesOf(found.configuration)
    const process = names.includes(DEFAULT) ? 'kube-scheduler' : `kube-scheduler/${names[0]}`
    add(process, found, locate(file.parsed, file.base).file ?? 'a file')
  }
  for (const pod of schedulerPods(platform)) {
    const found = fromPod(pod, problems)
    const { name } = pod.object.manifest.metadata
    if (found) add(`kube-scheduler/${name}`, found, `${pod.object.id}, taken to run`)
  }
  problems.push(...contested(platform, processes))
  const declared = processes.length > 0 || problems.length > 0
  const own = processes.filter(({ configuration }) => configuration && namesOf(configuration).includes(DEFAULT))
  const rest = processes.filter((one) => !own.includes(one))
  return {
    processes: [...(own.length > 0 ? own : [{ process: 'kube-scheduler' }]), ...rest],
    declared,
    problems,
    taken,
  }
}

/** The names by which pods get a scheduler. */
export const schedulerNames = ({ processes }: Schedulers): string[] =>
  processes.flatMap(({ configuration }) => (configuration ? namesOf(configuration) : [DEFAULT]))

/** Whether nobody can say who places pods that ask for the scheduler of this name. */
export const isScheduledElsewhere = (name: string, schedulers: Schedulers): boolean =>
  !schedulerNames(schedulers).includes(name) && (!schedulers.declared || OTHERS.test(name))

const namesOf = ({ profiles }: SchedulerConfiguration): string[] => profiles.map(({ schedulerName }) => schedulerName)

function fromFile(file: SchedulerFile, problems: SchedulerProblem[]): Read | undefined {
  const place = (problem: string) => {
    const field = /^[\w.[\]]+(?=:)/.exec(problem)?.[0]
    return locate(file.parsed, [...file.base, ...(field ? parsePath(field) : [])])
  }
  return read(file.value, (problem) =>
    problems.push({ what: 'KubeSchedulerConfiguration', why: problem, source: place(problem) }),
  )
}

function fromPod({ object, text, map, key, missing }: MountedConfig, problems: SchedulerProblem[]): Read | undefined {
  if (text === undefined) {
    problems.push({ what: object.id, why: missing ?? 'its configuration cannot be read', source: sourceOf(object) })
    return undefined
  }
  const source = map && key !== undefined ? sourceOf(map, ['data', key]) : sourceOf(object)
  const tell = (problem: string) => problems.push({ what: `${map?.id ?? object.id} ${key}`, why: problem, source })
  try {
    return read(parse(text), tell)
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    tell(error.message.split('\n')[0]!)
    return undefined
  }
}

/** A configuration, and the document it was read from. */
type Read = Required<Pick<SchedulerProcess, 'configuration' | 'document'>>

function read(value: unknown, tell: (problem: string) => void): Read | undefined {
  try {
    return { configuration: parseSchedulerConfiguration(value), document: value as Read['document'] }
  } catch (error) {
    if (!(error instanceof SchedulerConfigurationError)) throw error
    for (const problem of error.problems) tell(problem)
    return undefined
  }
}

/** Two schedulers for one name race for its pods: which of them places one is left to chance. */
function contested(platform: Platform, processes: readonly SchedulerProcess[]): SchedulerProblem[] {
  const names = processes.flatMap(({ configuration }) => (configuration ? namesOf(configuration) : []))
  const own = processes.some(({ process }) => process === 'kube-scheduler')
  const all = own ? names : names.concat(names.includes(DEFAULT) ? DEFAULT : [])
  return [...new Set(all.filter((name, i) => all.indexOf(name) !== i))].map((name) => ({
    what: `the scheduler ${name}`,
    why: 'two schedulers of this name race for its pods, and which of them places one is left to chance',
    source: sourceOfScheduler(platform, name),
  }))
}

function sourceOfScheduler(platform: Platform, name: string): SourcePosition {
  const pod: PlatformObject | undefined = schedulerPods(platform).find(({ text }) => text?.includes(name))?.object
  const file = platform.schedulers?.[0]
  return pod || !file ? sourceOf(pod ?? platform.objects[0]!) : locate(file.parsed, file.base)
}
