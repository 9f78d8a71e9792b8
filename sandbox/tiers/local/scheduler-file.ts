import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import type { SchedulerProcess } from '../scheduler-options.ts'

/**
 * Writes what the schedulers are told into one file and returns the flag that names it; none for upstream's default. Several schedulers run as
 * the profiles of one: what they have in common beside these is the first's that says it.
 */
export function schedulerFlags(
  schedulers: readonly SchedulerProcess[] | undefined,
  controlPlane: ControlPlane,
): string[] {
  const documents = (schedulers ?? []).flatMap(({ document }) => (document ? [document] : []))
  if (documents.length === 0) return []
  const path = join(controlPlane.folder, 'scheduler.json')
  writeFileSync(path, JSON.stringify(merged(documents, join(controlPlane.folder, 'kubeconfig'))), { mode: 0o600 })
  return ['--config', path]
}

type Document = NonNullable<SchedulerProcess['document']>

export function merged(documents: readonly Document[], kubeconfig: string): Document {
  const profiles = documents.flatMap((document) => {
    const given = document['profiles'] as readonly Document[] | undefined
    return given?.length ? given : [{ schedulerName: 'default-scheduler' }]
  })
  const isDefault = ({ schedulerName }: Document) => (schedulerName ?? 'default-scheduler') === 'default-scheduler'
  return {
    ...Object.assign({}, ...[...documents].reverse()),
    // a cluster keeps its own scheduler beside those that were added
    profiles: profiles.some(isDefault) ? profiles : [{ schedulerName: 'default-scheduler' }, ...profiles],
    clientConnection: { kubeconfig },
    leaderElection: { leaderElect: false },
  }
}
