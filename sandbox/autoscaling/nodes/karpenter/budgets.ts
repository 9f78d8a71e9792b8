import type * as o from '../../../kube/objects.ts'
import { EPOCH_MS, parseDuration, toSeconds, type Us } from '../../../world/time.ts'
import { CronSchedule } from '../../keda/scalers/cron-schedule.ts'
import { Zone } from '../../keda/scalers/zone.ts'

export type DisruptionReason = 'Empty' | 'Drifted' | 'Underutilized'

/** How many nodes of a pool of `nodes` may be disrupted at once for a reason. Follows pkg/apis/v1/nodepool.go GetAllowedDisruptionsByReason. */
export function allowedDisruptions(pool: o.NodePool, nodes: number, reason: DisruptionReason, now: Us): number {
  let allowed = Number.POSITIVE_INFINITY
  for (const budget of pool.spec.disruption?.budgets ?? DEFAULT) {
    if (budget.reasons && !budget.reasons.includes(reason)) continue
    if (isActive(budget, now)) allowed = Math.min(allowed, share(budget.nodes, nodes))
  }
  return allowed
}

const DEFAULT: readonly o.DisruptionBudget[] = [{ nodes: '10%' }]

/** Percentages are rounded up. */
const share = (text: string, nodes: number): number =>
  text.endsWith('%') ? Math.ceil((Number(text.slice(0, -1)) / 100) * nodes) : Number(text)

/** Whether its schedule was hit within its duration; without one it always counts. Times are UTC. */
function isActive({ schedule, duration }: o.DisruptionBudget, now: Us): boolean {
  if (schedule === undefined || duration === undefined) return true
  const since = EPOCH_MS / 1e3 + toSeconds(now - parseDuration(duration))
  const next = cron(schedule).next(since, UTC)
  return next !== undefined && next <= EPOCH_MS / 1e3 + toSeconds(now)
}

const UTC = new Zone('UTC')

/** Throws a KedaError for what is no schedule. */
export const cron = (schedule: string): CronSchedule => new CronSchedule(DESCRIPTORS[schedule] ?? schedule)

// follows github.com/robfig/cron/v3 parser.go parseDescriptor
const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
