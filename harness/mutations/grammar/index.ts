import type { Row } from '../row.ts'
import { benign } from './benign.ts'
import { bounds } from './bounds.ts'
import { disruption } from './disruption.ts'
import { engine } from './engine.ts'
import { everywhere } from './everywhere.ts'
import { gateway } from './gateway.ts'
import { fields, policies } from './objects.ts'
import { rollout } from './rollout.ts'
import { remediation, scaling } from './scaling.ts'
import { starting } from './starting.ts'
import { hang, streams } from './streams.ts'

const BUSY = ['four-replicas-with-budget']

/** Every change there is, with the verdict that must follow and why. */
export const grammar: readonly Row[] = [
  ...benign,
  ...everywhere,
  ...starting,
  ...engine,
  ...rollout,
  // what they say of one replica that serves the load alone does not hold where four are needed
  ...disruption.map((row): Row => ({ ...row, notOn: BUSY })),
  ...streams,
  ...hang,
  ...scaling,
  ...remediation,
  ...policies,
  ...fields,
  ...bounds,
  ...gateway,
]
