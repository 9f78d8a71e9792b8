import { suggest } from '../../harness/platform/suggest.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'
import { listStates, readState, type SandboxState } from './state.ts'

/** The sandbox of the name; the only one where none is named. */
export function chosenSandbox(name: string | undefined): SandboxState {
  const all = listStates()
  if (name !== undefined) {
    const found = readState(name)
    if (found) return found
    const names = all.map((one) => one.name)
    const near = suggest(name, names)
    throw new UsageError(
      'NO_SANDBOX',
      `there is no sandbox «${name}»`,
      near
        ? `Did you mean ${near}? «seatrial status» lists them all.`
        : names.length > 0
          ? `There are: ${names.join(', ')}.`
          : 'None is up. Start one: «seatrial up --cluster local».',
    )
  }
  if (all.length === 1) return all[0]!
  if (all.length === 0)
    throw new UsageError(
      'NO_SANDBOX',
      'no sandbox is up',
      'Start one: «seatrial up --cluster local».',
      exitCodes.nothingSelected,
    )
  throw new UsageError(
    'WHICH_SANDBOX',
    `there are ${all.length} sandboxes`,
    `Name one: ${all.map((one) => one.name).join(', ')}.`,
  )
}

/** The same, where it must answer requests. */
export function upSandbox(name: string | undefined): SandboxState {
  const state = chosenSandbox(name)
  if (state.phase === 'up') return state
  throw new UsageError(
    'NOT_UP',
    `sandbox «${state.name}» is ${state.phase}`,
    state.phase === 'starting'
      ? `Wait, or look at «seatrial logs ${state.name}».`
      : 'Start one: «seatrial up --cluster local».',
    exitCodes.unavailable,
  )
}
