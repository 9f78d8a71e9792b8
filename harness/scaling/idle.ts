import { formatDuration, minutes, type Us } from '../../sandbox/world/time.ts'
import type { ObjectsView } from '../objects-view.ts'
import { podsOf, type Subject } from '../subject.ts'
import type { Invalid } from '../verdict/verdict.ts'
import { workloadOf } from '../workload-object.ts'
import { goesToZero, hpaOf, hpaText } from './autoscaler.ts'

/** No replica runs or is wanted. */
export const isAtZero = (subject: Subject, view: ObjectsView): boolean =>
  workloadOf(subject, view)?.spec.replicas === 0 && podsOf(subject, view).length === 0

/** A server that never goes to zero is idle for so long. */
const IDLE: Us = minutes(2)

/** Idle for long enough: at zero, or as near to it as its autoscaler goes. `idleUs`: how long nobody has asked. */
export const isIdle = (subject: Subject, view: ObjectsView, idleUs: Us): boolean =>
  goesToZero(subject, view) ? isAtZero(subject, view) : idleUs >= IDLE

/** An autoscaler that may go to zero and did not. */
export function neverAtZero(subject: Subject, view: ObjectsView, idleUs: Us): Invalid {
  const hpa = hpaOf(subject, view)
  const replicas = workloadOf(subject, view)?.spec.replicas
  return {
    code: 'FAULT_INVISIBLE',
    what: `nobody asked for ${formatDuration(idleUs)} and ${replicas} replicas still ran, although its autoscaler may go to zero${hpa ? `: ${hpaText(hpa)}` : ''}`,
    fix: 'Look whether a trigger is always active, or raise idleFor of the scenario above the cooldown.',
  }
}
