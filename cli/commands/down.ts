import { setTimeout as wait } from 'node:timers/promises'
import { isAlive, kill } from '../../sandbox/tiers/control-plane/processes.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'
import { chosenSandbox } from '../sandboxes/choose.ts'
import { removeLeftovers } from '../sandboxes/leftovers.ts'
import { Progress } from '../sandboxes/progress.ts'
import { listStates, readState, type SandboxState } from '../sandboxes/state.ts'
import { style } from '../style.ts'

const ENDED_WITHIN_MS = 15_000

/** Ends sandboxes that stay, and removes all of them. */
export async function down(name: string | undefined, { all }: { all?: boolean }): Promise<number> {
  if (all && name !== undefined)
    throw new UsageError('BAD_OPTION', '--all and a name at once', 'Give one of them: «seatrial down --all».')
  removeLeftovers()
  const chosen = all || (name === undefined && listStates().length === 0) ? listStates() : [chosenSandbox(name)]
  if (chosen.length === 0) process.stderr.write('no sandbox is up\n')
  await Promise.all(chosen.map(end))
  return exitCodes.pass
}

async function end(state: SandboxState): Promise<void> {
  const begun = performance.now()
  const progress = new Progress()
  progress.now(`sandbox ${state.name} ends`)
  kill(state.owner, 'SIGTERM')
  while (isAlive(state.owner) && performance.now() - begun < ENDED_WITHIN_MS) await wait(20)
  const forced = isAlive(state.owner)
  if (forced) kill(state.owner)
  while (isAlive(state.owner)) await wait(20)
  progress.clear()
  // whatever it did not come to
  removeLeftovers(forced || readState(state.name) ? undefined : () => {})
  progress.done(`sandbox ${style.bold(state.name)} removed`, performance.now() - begun)
}
