import { isNear } from '../../harness/load/http/address.ts'
import type { Endpoint } from '../../harness/load/http/requests.ts'
import {
  baseOf,
  countByTokenize,
  countByUsage,
  listModels,
  type ServedModel,
  type ServerOptions,
} from '../../harness/load/http/server.ts'
import { learnVocabulary, type Vocabulary } from '../../harness/load/http/vocabulary.ts'
import { suggest } from '../../harness/platform/suggest.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'

/** A server that answers, and the model that will be asked. */
export interface Reached {
  readonly server: ServerOptions
  readonly model: string
  readonly maxModelLen: number | undefined
}

const TIMEOUT_MS = 10_000

/** Makes sure of the address, that the server answers, and which model to ask. Throws a UsageError. */
export async function reach(
  url: URL,
  options: {
    readonly confirm?: string | undefined
    readonly apiKey?: string | undefined
    readonly model?: string | undefined
  },
): Promise<Reached> {
  const base = baseOf(url)
  if (!(await isNear(base.hostname)) && options.confirm !== base.hostname && options.confirm !== base.host)
    throw new UsageError(
      'CONFIRM',
      `${base.hostname} is neither this machine nor a private address: a load on it may hurt others, and cost money`,
      `If it is yours to load: --confirm=${base.hostname}`,
    )
  const headers: Record<string, string> =
    options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }
  const server: ServerOptions = { base, headers, timeoutMs: TIMEOUT_MS }
  const models = await listModels(server)
  if ('status' in models) {
    if (models.status === 404 && options.model !== undefined)
      return { server, model: options.model, maxModelLen: undefined }
    throw notServing(base, models.status, models.why, options.apiKey !== undefined)
  }
  const served = chosen(models, options.model)
  return { server, model: served.id, maxModelLen: served.maxModelLen }
}

/** What prompts are to be made of, so that the server counts as many tokens as planned. */
export async function vocabularyOf({ server, model }: Reached, endpoint: Endpoint): Promise<Vocabulary> {
  const byTokenize = countByTokenize(server, model, endpoint)
  if ((await byTokenize('A')) !== undefined) return learnVocabulary(byTokenize, true)
  return learnVocabulary(countByUsage(server, model, endpoint), false)
}

function chosen(models: readonly ServedModel[], asked: string | undefined): ServedModel {
  const names = models.map(({ id }) => id)
  const found = asked === undefined ? models[0] : models.find(({ id }) => id === asked)
  if (asked === undefined && models.length > 1)
    throw new UsageError(
      'WHICH_MODEL',
      `the server has ${models.length} models`,
      `Name one: --model ${names.join(' or --model ')}`,
    )
  if (found) return found
  const near = asked === undefined ? undefined : suggest(asked, names)
  throw new UsageError(
    'UNKNOWN_MODEL',
    asked === undefined ? 'the server has no model' : `the server has no model «${asked}»`,
    near ? `Did you mean ${near}?` : `It has: ${names.join(', ') || 'none'}.`,
  )
}

function notServing(base: URL, status: number, why: string, withKey: boolean): UsageError {
  if (status === 0)
    return new UsageError(
      'NO_SERVER',
      `nothing answers at ${base.origin}: ${why}`,
      'Is it up, and is this its port? A server that is loading its model answers nothing yet.',
      exitCodes.unavailable,
    )
  if (status === 401 || status === 403)
    return new UsageError(
      'UNAUTHORIZED',
      `${base.origin} refuses ${withKey ? 'this key' : 'requests without a key'} (HTTP ${status})`,
      withKey
        ? 'Check the key, and whether it may ask this model.'
        : 'Name the variable that holds it: --api-key-env OPENAI_API_KEY',
    )
  return new UsageError(
    'NO_MODELS',
    `${base.origin}/v1/models answers with HTTP ${status}${why ? `: ${why.split('\n')[0]!.slice(0, 120)}` : ''}`,
    'Give the URL that stands before /v1, and the model: --model NAME',
    exitCodes.unavailable,
  )
}
