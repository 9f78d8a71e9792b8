import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LagProfile } from '../../kube/lag.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import type { SchedulerProcess } from '../scheduler-options.ts'
import type { SandboxOptions } from '../tier.ts'

/**
 * Writes what the schedulers are told into one file and returns the flag that names it; none for upstream's default. Several schedulers run as
 * the profiles of one: what they have in common beside these is the first's that says it.
 */
export function schedulerFlags(
  { schedulers, lag }: Pick<SandboxOptions, 'schedulers' | 'lag'>,
  controlPlane: ControlPlane,
): string[] {
  const documents = (schedulers ?? []).flatMap(({ document }) => (document ? [document] : []))
  if (documents.length === 0) return limitFlags(lag, 'kube-scheduler')
  const path = join(controlPlane.folder, 'scheduler.json')
  const kubeconfig = join(controlPlane.folder, 'kubeconfig')
  const limit = lag.clients['kube-scheduler']
  writeFileSync(path, JSON.stringify(merged(documents, kubeconfig, limit)), { mode: 0o600 })
  return ['--config', path]
}

/** The flags by which a program is limited as the profile says; upstream's own limits where it says nothing. */
export function limitFlags({ clients }: LagProfile, program: string): string[] {
  const limit = clients[program]
  return limit ? ['--kube-api-qps', `${limit.qps}`, '--kube-api-burst', `${limit.burst}`] : []
}

type Document = NonNullable<SchedulerProcess['document']>

export function merged(
  documents: readonly Document[],
  kubeconfig: string,
  limit: LagProfile['clients'][string] | undefined = undefined,
): Document {
  const profiles = documents.flatMap((document) => {
    const given = document['profiles'] as readonly Document[] | undefined
    return given?.length ? given : [{ schedulerName: 'default-scheduler' }]
  })
  const isDefault = ({ schedulerName }: Document) => (schedulerName ?? 'default-scheduler') === 'default-scheduler'
  return {
    ...Object.assign({}, ...[...documents].reverse()),
    // a cluster keeps its own scheduler beside those that were added
    profiles: profiles.some(isDefault) ? profiles : [{ schedulerName: 'default-scheduler' }, ...profiles],
    clientConnection: { kubeconfig, ...limit },
    leaderElection: { leaderElect: false },
  }
}
