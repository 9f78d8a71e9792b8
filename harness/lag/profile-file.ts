import { z } from 'zod'
import { defaultProfile, type LagProfile, type Quantiles } from '../../sandbox/kube/lag.ts'
import { PlatformError, PlatformErrors } from '../platform/errors.ts'
import { LIMITS } from '../platform/limits.ts'
import { locate } from '../platform/locate.ts'
import { type FieldPath, formatPath } from '../platform/path.ts'
import { type ParsedValue, toValue } from '../platform/value.ts'
import { parseYaml } from '../platform/yaml.ts'

const quantiles = z
  .array(z.tuple([z.number().min(0).max(1), z.int().min(0)]))
  .min(2, 'needs two pairs of [probability, microseconds] or more')
  .superRefine((pairs, context) => {
    const wrong = (index: number, message: string) => context.addIssue({ code: 'custom', path: [index], message })
    if (pairs[0]?.[0] !== 0) wrong(0, 'the first probability must be 0')
    if (pairs.length > 1 && pairs.at(-1)![0] !== 1) wrong(pairs.length - 1, 'the last probability must be 1')
    for (const [i, [probability, us]] of pairs.entries()) {
      const before = pairs[i - 1]
      if (before && probability <= before[0]) wrong(i, 'probabilities must rise')
      if (before && us < before[1]) wrong(i, 'a delay must not be shorter than that of a lower probability')
    }
  })

const limit = z.strictObject({ qps: z.number().positive(), burst: z.int().min(1) })

const schema = z.strictObject({
  schemaVersion: z.literal(1),
  name: z.string().min(1),
  /** How it was measured, for people. */
  measured: z.string().optional(),
  watchDelayUs: quantiles,
  readUs: quantiles,
  writeUs: quantiles,
  clients: z.record(z.string(), limit).optional(),
})

/** What a lag profile's file holds: delays in microseconds by quantiles, client limits where they are not upstream's defaults. */
type ProfileFile = z.infer<typeof schema>

/** Reads a lag profile's file (JSON or YAML). Throws PlatformErrors that name the line of each thing wrong. */
export function parseLagProfile(file: string, text: string): LagProfile {
  const { source, documents, errors } = parseYaml(file, text, LIMITS)
  if (errors.length > 0) throw new PlatformErrors(errors)
  const parsed = toValue((documents[0]?.contents ?? null) as Parameters<typeof toValue>[0], source, LIMITS)
  const result = schema.safeParse(parsed.value)
  if (!result.success) throw new PlatformErrors(result.error.issues.flatMap((issue) => errorsOf(issue, parsed)))
  const { name, watchDelayUs, readUs, writeUs, clients = {} } = result.data
  return {
    name,
    watchDelay: watchDelayUs as Quantiles,
    requestLatency: { read: readUs as Quantiles, write: writeUs as Quantiles },
    clients: { ...defaultProfile.clients, ...clients },
  }
}

/** The text of a profile's file. */
export const lagProfileText = (
  { name, watchDelay, requestLatency }: Pick<LagProfile, 'name' | 'watchDelay' | 'requestLatency'>,
  measured?: string,
): string => {
  const file: ProfileFile = {
    schemaVersion: 1,
    name,
    ...(measured ? { measured } : {}),
    watchDelayUs: watchDelay as ProfileFile['watchDelayUs'],
    readUs: requestLatency.read as ProfileFile['readUs'],
    writeUs: requestLatency.write as ProfileFile['writeUs'],
  }
  const lines = Object.entries(file).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
  return `{\n${lines.join(',\n')}\n}\n`
}

function errorsOf(issue: z.core.$ZodIssue, parsed: ParsedValue): PlatformError[] {
  const path = issue.path as FieldPath
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => errorAt(parsed, [...path, key], 'is no field of a lag profile'))
  const { absent } = locate(parsed, path)
  return [errorAt(parsed, path, absent ? 'is missing' : issue.message)]
}

function errorAt(parsed: ParsedValue, path: FieldPath, what: string): PlatformError {
  const at = locate(parsed, path)
  const field = formatPath(path) || 'the file'
  return new PlatformError('BAD_VALUE', `${field}: ${what.charAt(0).toLowerCase()}${what.slice(1)}`, {
    why: 'A lag profile holds schemaVersion, name, watchDelayUs, readUs and writeUs; the last three are lists of [probability, microseconds].',
    fix: 'Measure one: npx seatrial parity --fit-lag --write FILE',
    at,
  })
}
