import type { ParitySide } from '../harness/parity/trials.ts'
import type { Sandbox, Tier } from '../sandbox/tiers/tier.ts'
import { exitCodes } from './exit-codes.ts'

interface Interrupt extends Disposable {
  /** The sides, whose sandboxes are closed on Ctrl-C. */
  watching<T extends readonly ParitySide[]>(sides: T): T
  /** The tier, whose sandboxes are closed on Ctrl-C. */
  closing(tier: Tier): Tier
}

/** Ctrl-C closes the sandboxes that are up and ends with code 130; a second one ends at once. */
export function closeOnInterrupt(): Interrupt {
  const up = new Set<Sandbox>()
  let interrupted = false
  const onSignal = () => {
    if (interrupted) process.exit(exitCodes.interrupted)
    interrupted = true
    process.stderr.write('\ninterrupted: removing what was made; once more to end at once\n')
    void Promise.allSettled([...up].map((sandbox) => sandbox.close())).then(() => process.exit(exitCodes.interrupted))
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  const closing = (tier: Tier): Tier => ({
    ...tier,
    async up(options) {
      const sandbox = await tier.up(options)
      const close = sandbox.close.bind(sandbox)
      up.add(sandbox)
      return Object.assign(sandbox, {
        close: async () => {
          up.delete(sandbox)
          await close()
        },
      })
    },
  })
  return {
    closing,
    watching: (sides) => sides.map((side) => ({ ...side, tier: closing(side.tier) })) as unknown as typeof sides,
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, onSignal)
    },
  }
}
