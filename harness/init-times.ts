import type { Us } from '../sandbox/world/time.ts'
import type { FoundServer } from './inference-servers.ts'
import type { Overrides } from './judgeable.ts'
import { initKey } from './platform/inputs/init-inputs.ts'
import type { ResolvedInputs } from './platform/inputs/resolve.ts'
import { initContainersOf } from './platform/roles/fetches.ts'

/** How long init containers run in a trial. */
export interface InitTimes {
  /** One of a server; undefined: as its command says, or a moment. */
  of(serverId: string, container: string): Us | undefined
  /** All of a server, one after the other. */
  all(server: FoundServer): Us
}

/** The run times as they are, but for what the overrides say. */
export function initTimes(inputs: ResolvedInputs, { initTimesUs }: Overrides): InitTimes {
  const of = (serverId: string, container: string): Us | undefined => {
    const key = initKey(serverId, container)
    return initTimesUs?.[key] ?? inputs.initTimesUs[key]?.value
  }
  return {
    of,
    all: ({ id, template }) => initContainersOf(template.spec).reduce((sum, { name }) => sum + (of(id, name) ?? 0), 0),
  }
}
