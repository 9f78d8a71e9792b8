import { noticesOf } from './platform/roles/spot.ts'
import type { Need, Scenario } from './scenario.ts'
import type { Setup } from './setup.ts'

/** Why a scenario has nothing to say about what was set up; undefined where it has. */
export function unmetNeed({ needs }: Scenario, setup: Setup): string | undefined {
  for (const { role } of needs) {
    const why = UNMET[role]?.(setup)
    if (why) return why
  }
  return undefined
}

const UNMET: Partial<Record<Need['role'], (setup: Setup) => string | undefined>> = {
  gpus: ({ subject }) => (subject.gpus > 0 ? undefined : 'its pods ask for no GPU'),
  'spot-nodes': (setup) =>
    noticesOf(setup).spot
      ? undefined
      : 'nothing says that its nodes are spot or preemptible: label the nodes in seatrial.yaml as the provider does',
}
