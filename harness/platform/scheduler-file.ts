import { dirname, join } from 'node:path'
import { configSource, type SeatrialConfig } from './config/config.ts'
import { PlatformError } from './errors.ts'
import { LIMITS, type Limits } from './limits.ts'
import { type FoundObjects, objectsIn } from './objects.ts'
import type { SchedulerFile } from './platform.ts'
import { readAll } from './read.ts'

/** The configuration of the cluster's kube-scheduler that `cluster.scheduler` in `seatrial.yaml` names; empty where it names none. */
export async function namedScheduler(
  { cwd, limits = LIMITS }: { readonly cwd: string; readonly limits?: Limits },
  config: SeatrialConfig | undefined,
  configFile: string | undefined,
): Promise<{ schedulers: readonly SchedulerFile[]; errors: readonly PlatformError[] }> {
  const named = config?.cluster?.scheduler
  if (!config || named === undefined) return { schedulers: [], errors: [] }
  const reading = await readAll([join(dirname(configFile ?? '.'), named)], cwd, limits)
  if (reading.errors.length > 0) return { schedulers: [], errors: reading.errors }
  const found: FoundObjects = { objects: [], notes: [], errors: [], kustomizations: new Map(), schedulers: [] }
  for (const file of reading.files) objectsIn(file, limits, found)
  const { schedulers, errors } = found
  if (errors.length > 0 || schedulers.length === 1) return { schedulers, errors }
  const count = schedulers.length === 0 ? 'no KubeSchedulerConfiguration' : 'more than one KubeSchedulerConfiguration'
  const error = new PlatformError('BAD_CONFIG', `cluster.scheduler: ${named} holds ${count}`, {
    why: 'It is the file the cluster’s kube-scheduler is started with.',
    fix: 'Name the file that --config of kube-scheduler names.',
    at: configSource(config, ['cluster', 'scheduler']),
  })
  return { schedulers: [], errors: [error] }
}
