import { seconds, type Us } from '../../world/time.ts'

/** When a sandbox is handed over: nodes have registered and the control plane has seen them. Schedules of triggers are met at the same time everywhere. */
export const TRIAL_BEGINS: Us = seconds(30)
