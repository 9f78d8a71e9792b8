import { z } from 'zod'
import { presets } from '../../../fixtures/workloads/index.ts'
import { declared, duration, lengths, parsed, positive, text } from './figures.ts'
import { DURATION, figure, RATE, SHARE } from './for-editors.ts'
import { parseRate, parseShare, parseTime } from './units.ts'

/** What `seatrial.yaml` says of the load of a server and of what was promised to its clients. */

const share = declared(parseShare).meta(figure(SHARE))
const plainShare = parsed(parseShare).meta(SHARE)
const plainDuration = parsed(positive(parseTime)).meta(DURATION)
const time = parsed(parseTime).meta(DURATION)
const multiple = z.number().min(0).max(10_000)
const rate = declared(positive(parseRate)).meta(figure(RATE))

const latency = z.strictObject({ p95: duration.optional(), p99: duration.optional() }).optional()

export const slos = z.strictObject({
  availability: share.optional(),
  ttft: latency,
  tpot: latency,
  e2e: latency,
  goodput: share.optional(),
})

const step = z.strictObject({
  at: time,
  times: multiple,
  over: plainDuration.optional(),
  for: plainDuration.optional(),
})

const kind = z.enum(['constant', 'poisson', 'gamma', 'weibull'])

const arrival = z.strictObject({
  rate: rate.optional(),
  kind: kind.optional(),
  /** Coefficient of variation of the gaps. */
  cv: z.number().min(0.1).max(20).optional(),
  steps: z.array(step).min(1).optional(),
  /** The steps begin again. */
  repeat: plainDuration.optional(),
  wave: z
    .strictObject({ amplitude: plainShare, period: plainDuration.default(86_400e6), peakAt: time.default(0) })
    .optional(),
})

const sessions = z.strictObject({
  turns: z.number().min(1).max(1000),
  think: plainDuration,
  maxPromptTokens: z.int().min(1).optional(),
})

const retry = z.strictObject({
  attempts: z.int().min(1).max(20),
  /** `on` would be a boolean in YAML 1.1. */
  when: z
    .array(z.union([z.int().min(400).max(599), z.enum(['refused', 'reset'])]))
    .min(1)
    .optional(),
  backoff: plainDuration.optional(),
  maxBackoff: plainDuration.optional(),
})

const trace = z.strictObject({
  file: text,
  format: z.enum(['azure-csv', 'mooncake-jsonl']).optional(),
  speed: z.number().positive().max(10_000).optional(),
  from: time.optional(),
  for: plainDuration.optional(),
  loop: z.boolean().default(false),
})

/** What kinds of clients may differ in. */
const traffic = {
  promptTokens: lengths.optional(),
  outputTokens: lengths.optional(),
  sharedTokens: z.int().min(0).optional(),
  sessions: sessions.optional(),
  priority: z.int().optional(),
  timeout: duration.optional(),
}

const tenant = z
  .strictObject({ name: text, share: plainShare.optional(), arrival: arrival.optional(), ...traffic })
  .refine((one) => (one.share === undefined) !== (one.arrival?.rate === undefined), {
    message: 'a tenant has either a share of the rate or an arrival.rate of its own',
  })

export const workload = z.strictObject({
  preset: z.enum(presets.map(({ id }) => id)).optional(),
  arrival: arrival
    .extend({ kind: kind.default('poisson') })
    .refine(({ rate }) => rate !== undefined, { path: ['rate'], message: 'is required' })
    .optional(),
  trace: trace.optional(),
  ...traffic,
  tenants: z.array(tenant).min(1).superRefine(namesOnceAndShares).optional(),
  retry: retry.optional(),
  duration: duration.optional(),
  slos: slos.optional(),
})

function namesOnceAndShares(
  tenants: readonly { name: string; share?: number | undefined }[],
  context: z.core.$RefinementCtx,
): void {
  const names = tenants.map(({ name }) => name)
  const again = names.findIndex((name, i) => names.indexOf(name) < i)
  if (again >= 0)
    context.addIssue({ code: 'custom', path: [again, 'name'], message: `another tenant is called ${names[again]} too` })
  const shares = tenants.reduce((sum, tenant) => sum + (tenant.share ?? 0), 0)
  if (tenants.some(({ share }) => share !== undefined) && Math.abs(shares - 1) > 0.001)
    context.addIssue({
      code: 'custom',
      path: [],
      message: `the shares make ${Number((shares * 100).toFixed(1))} %, not 100 %`,
    })
}
