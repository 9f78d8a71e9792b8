import { existsSync, readFileSync } from 'node:fs'
import { parseLagProfile } from '../harness/lag/profile-file.ts'
import { type LagProfile, lagProfiles } from '../sandbox/kube/lag.ts'
import { UsageError } from './failure.ts'

/** A lag profile by its name, or from the file of that name. Throws a UsageError for neither, PlatformErrors for a file that is wrong. */
export function lagNamed(name = 'default'): LagProfile {
  const known = lagProfiles.find((profile) => profile.name === name)
  if (known) return known
  if (existsSync(name)) return parseLagProfile(name, readFileSync(name, 'utf8'))
  throw new UsageError(
    'UNKNOWN_LAG',
    `there is no lag profile «${name}», nor a file of that name`,
    `There are: ${lagProfiles.map((profile) => profile.name).join(', ')}. A file of your own: npx seatrial parity --fit-lag --write FILE`,
  )
}
