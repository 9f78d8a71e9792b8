import { LOOK } from '../periods.ts'
import { stream } from '../stream.ts'

/** What was done to the platform, and undone. */
export const faults = stream({
  name: 'faults',
  compares: 'faults and changes injected and healed',
  start:
    ({ decide }) =>
    (record) => {
      if (record.type === 'fault') decide(`${record.fault} ${record.step}`, LOOK)
    },
})
