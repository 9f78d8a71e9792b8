import type { Capabilities } from '../capabilities.ts'
import { simCapabilities } from '../sim/capabilities.ts'

/** What has actors where the control plane is real: all that has them in the simulation, where nodes are the same. */
export const localCapabilities: Capabilities = { ...simCapabilities, tier: 'local' }
