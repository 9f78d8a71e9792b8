import { noSuchProgram } from '../../sandbox/nodes/shell/run.ts'
import { understand } from '../../sandbox/nodes/shell.ts'
import { toSeconds } from '../../sandbox/world/time.ts'
import { setFlag } from './flags.ts'
import {
  type Candidate,
  containerPath,
  type Diagnosis,
  type FieldChange,
  type RemedyContext,
  remedy,
  serverContainer,
} from './remedy.ts'

const SHUTDOWN_TIMEOUT = '--shutdown-timeout'
const GRACE = 'spec.template.spec.terminationGracePeriodSeconds'
/** What kube-proxies, gateways and their caches take at most to hear that a pod is going. */
const PROPAGATION_SECONDS = 10
/** Between the end of draining and the end of the grace period. */
const SPARE_SECONDS = 10
/** Answers may well take a quarter longer on another day. */
const HEADROOM = 1.25

/** Time a pod has from its deletion to its end, all in seconds. */
interface Budget {
  /** Until SIGTERM. */
  readonly preStop: number
  /** How long vLLM then drains. */
  readonly drain: number
  /** Until SIGKILL. */
  readonly grace: number
}

/** A pod that stops before its streams have ended, or before clients have stopped coming. */
export const drainBudget = remedy({
  causes: ['streams-cut-at-sigterm', 'streams-outlive-grace', 'requests-lost-after-delete'],
  diagnose(context): Diagnosis | undefined {
    const now = budgetOf(context)
    if (!now) return undefined
    const typo = oneWordHook(context)
    if (typo) return typo
    const { cause, neededUs = 0 } = context.broken
    const hook = `${containerPath(context)}.lifecycle.preStop`
    const longest = toSeconds(neededUs)
    const wanted = Math.max(PROPAGATION_SECONDS, Math.ceil((HEADROOM * longest) / 5) * 5)
    if (context.deployment.spec.replicas === 1 && now.preStop >= longest)
      return {
        path: 'spec.replicas',
        says: 'spec.replicas: 1: with no other replica, proxies go on sending to the pod on its way out until it ends',
        candidates: candidates(context, now, [now]),
      }
    if (cause === 'requests-lost-after-delete')
      return {
        path: hook,
        says: `preStop holds SIGTERM back for ${now.preStop} s; requests came up to ${longest.toFixed(1)} s after DELETE`,
        candidates: candidates(context, now, [{ ...now, preStop: Math.max(now.preStop, wanted) }]),
      }
    const held = { ...now, preStop: Math.max(now.preStop, wanted) }
    const drained = { ...now, preStop: Math.max(now.preStop, PROPAGATION_SECONDS), drain: Math.max(now.drain, wanted) }
    const others = context.server.knownFlags.includes(SHUTDOWN_TIMEOUT) ? [drained, held] : [held]
    if (cause === 'streams-outlive-grace')
      return {
        path: GRACE,
        says: `terminationGracePeriodSeconds: ${now.grace} kills it ${now.grace} s after DELETE (preStop ${now.preStop} s, --shutdown-timeout ${now.drain}); answers take up to ${longest.toFixed(0)} s`,
        candidates: candidates(context, now, now.preStop + now.drain >= longest ? [now, ...others] : others),
      }
    return {
      path: hook,
      says: `preStop holds SIGTERM back for ${now.preStop} s, and vLLM then ${now.drain > 0 ? `drains for ${now.drain} s` : 'ends its streams at once'}; answers take up to ${longest.toFixed(0)} s`,
      candidates: candidates(context, now, others),
    }
  },
})

/** A hook whose command line stands as one word: it fails before it has waited. */
function oneWordHook(context: RemedyContext): Diagnosis | undefined {
  const command = serverContainer(context).lifecycle?.preStop?.exec?.command
  if (!command || !noSuchProgram(command)) return undefined
  const path = `${containerPath(context)}.lifecycle.preStop.exec.command`
  const value = ['/bin/sh', '-c', command.join(' ')]
  return {
    path,
    says: `preStop.exec.command is one word, «${command[0]}», and no program has this name: the hook fails at once and SIGTERM follows`,
    candidates: [{ says: `command: ${JSON.stringify(value)}`, changes: [{ path, value }] }],
  }
}

/** As it is written; undefined where the hook does something else than wait. */
function budgetOf(context: RemedyContext): Budget | undefined {
  const container = serverContainer(context)
  const { preStop } = container.lifecycle ?? {}
  const slept = preStop?.exec ? understand(preStop.exec.command ?? []) : undefined
  if (preStop && !preStop.sleep && !slept) return undefined
  return {
    preStop: preStop?.sleep?.seconds ?? toSeconds(slept?.afterUs ?? 0),
    drain: context.server.shutdownTimeoutSeconds,
    grace: context.deployment.spec.template.spec.terminationGracePeriodSeconds ?? 30,
  }
}

/** The changes to each budget, with a grace period that holds it. */
function candidates(context: RemedyContext, now: Budget, budgets: readonly Budget[]): Candidate[] {
  const container = serverContainer(context)
  const path = containerPath(context)
  const found = budgets.flatMap(({ preStop, drain, grace: least }) => {
    const grace = Math.max(least, preStop + drain + SPARE_SECONDS)
    const flag = drain === now.drain ? undefined : setFlag(container, path, [SHUTDOWN_TIMEOUT], String(drain))
    const changes: FieldChange[] = [
      ...(preStop === now.preStop
        ? []
        : [{ path: `${path}.lifecycle.preStop`, value: { sleep: { seconds: preStop } } }]),
      ...(flag ? [flag] : []),
      ...(grace === now.grace ? [] : [{ path: GRACE, value: grace }]),
    ]
    const says = [
      ...(preStop === now.preStop ? [] : [`preStop.sleep.seconds: ${preStop}`]),
      ...(flag ? [`${SHUTDOWN_TIMEOUT} ${drain}`] : []),
      ...(grace === now.grace ? [] : [`terminationGracePeriodSeconds: ${grace}`]),
    ].join(', ')
    return changes.length === 0 ? [] : [{ says, changes }]
  })
  return withAnother(context, found)
}

/** The same with a second replica: proxies send to a pod on its way out as long as there is no other. */
function withAnother({ deployment }: RemedyContext, found: readonly Candidate[]): Candidate[] {
  if (deployment.spec.replicas !== 1) return [...found]
  const another = { path: 'spec.replicas', value: 2 }
  return [
    ...found,
    { says: 'replicas: 2 and one more node', changes: [another], moreNodes: 1 },
    ...found.map(
      ({ says, changes = [] }): Candidate => ({
        says: `replicas: 2 and one more node, ${says}`,
        changes: [another, ...changes],
        moreNodes: 1,
      }),
    ),
  ]
}
