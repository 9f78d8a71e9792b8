import type { Row } from '../row.ts'
import { benign } from './benign.ts'
import { disruption } from './disruption.ts'
import { engine } from './engine.ts'
import { everywhere } from './everywhere.ts'
import { rollout } from './rollout.ts'
import { remediation, scaling } from './scaling.ts'
import { starting } from './starting.ts'
import { hang, streams } from './streams.ts'

/** Every change there is, with the verdict that must follow and why. */
export const grammar: readonly Row[] = [
  ...benign,
  ...everywhere,
  ...starting,
  ...engine,
  ...rollout,
  ...disruption,
  ...streams,
  ...hang,
  ...scaling,
  ...remediation,
]
