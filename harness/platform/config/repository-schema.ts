import { z } from 'zod'
import { commandWords } from '../render-words.ts'
import { parsed, positive, text } from './figures.ts'
import { parseTime } from './units.ts'

/** What `seatrial.yaml` says of where manifests come from, and of failures a team has accepted. */

const RENDER_TIMEOUT_US = 120e6

const argv = parsed((value): string[] => {
  if (Array.isArray(value)) {
    const words = value.map(String)
    if (words.length === 0 || words.includes('')) throw new RangeError('a command is empty')
    return words
  }
  if (typeof value !== 'string') throw new RangeError('a command is a text like "helm template chart/", or a list')
  return commandWords(value)
}).meta({
  description: 'One program and its arguments; it runs without a shell.',
  anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }],
  examples: ['helm template chart/ -f values-prod.yaml', 'kustomize build overlays/prod'],
})

const command = z.strictObject({
  run: argv,
  timeout: parsed(positive(parseTime))
    .default(RENDER_TIMEOUT_US)
    .meta({ type: 'string', examples: ['2m'] }),
})

/** A command alone, or with how long it may take. */
export const render = z.array(
  z
    .unknown()
    .transform((value) => (typeof value === 'string' || Array.isArray(value) ? { run: value } : value))
    .pipe(command)
    .meta({
      anyOf: [
        { type: 'string' },
        { type: 'array', items: { type: 'string' } },
        {
          type: 'object',
          properties: { run: { type: ['string', 'array'] }, timeout: { type: 'string' } },
          required: ['run'],
          additionalProperties: false,
        },
      ],
      examples: ['helm template chart/ -f values-prod.yaml', 'kustomize build overlays/prod'],
    }),
)

const day = parsed((value): string => {
  const written = String(value)
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(written) ?? []
  const at = new Date(Date.UTC(Number(year), Number(month) - 1, Number(date)))
  if (year === undefined || at.getUTCMonth() !== Number(month) - 1 || at.getUTCDate() !== Number(date))
    throw new RangeError(`not a day: ${written.slice(0, 40)} (write it like 2027-01-31)`)
  return written
}).meta({ type: 'string', pattern: String.raw`^\d{4}-\d{2}-\d{2}$`, examples: ['2027-01-31'] })

/** A failure that is known and accepted by someone until a day. */
export const waiver = z.strictObject({
  scenario: text,
  target: text.optional(),
  cause: text.optional(),
  outcome: z.enum(['FAIL', 'INVALID']).default('FAIL'),
  reason: text,
  owner: text,
  expires: day,
})

/** What is there of a cluster beside nodes and traffic: a snapshot writes all but the scheduler. */
export const cluster = z.strictObject({
  context: text.optional(),
  priorityClasses: z.record(z.string(), z.int()).optional(),
  storageClasses: z.array(text).optional(),
  /** The KubeSchedulerConfiguration the cluster's kube-scheduler runs with: a file, relative to this one. */
  scheduler: text.optional(),
  autoscalers: z
    .array(
      z.strictObject({
        name: text,
        target: text,
        min: z.int().min(0).optional(),
        max: z.int().min(1),
        current: z.int().min(0).optional(),
      }),
    )
    .optional(),
})
