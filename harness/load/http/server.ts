import { ENDPOINT_PATHS, type Endpoint } from './requests.ts'
import type { CountTokens } from './vocabulary.ts'

/** A server that speaks the OpenAI API, asked about itself before and after a load. */
export interface ServerOptions {
  /** Without path, or what stands before `/v1`. */
  readonly base: URL
  readonly headers: Readonly<Record<string, string>>
  /** Of each question. */
  readonly timeoutMs: number
}

export interface ServedModel {
  readonly id: string
  readonly maxModelLen: number | undefined
}

/** Why the models could not be listed; `status` 0: nobody answered. */
export interface NoModels {
  readonly status: number
  readonly why: string
}

/** The base of the URL a user gives: with or without `/v1` or a route of it. */
export function baseOf(url: URL): URL {
  const base = new URL(url)
  base.pathname = base.pathname.replace(/\/+$/, '').replace(/\/v1(\/(chat\/completions|completions|models))?$/, '')
  base.search = ''
  base.hash = ''
  return base
}

/** A path under the base. */
export const under = (base: URL, path: string): URL => new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base)

export async function listModels(options: ServerOptions): Promise<readonly ServedModel[] | NoModels> {
  const answer = await ask(options, '/v1/models')
  if (answer.status !== 200) return { status: answer.status, why: answer.text.slice(0, 300) }
  const { data } = (json(answer.text) ?? {}) as { data?: { id?: unknown; max_model_len?: unknown }[] }
  if (!Array.isArray(data)) return { status: 200, why: 'no list of models' }
  return data.flatMap(({ id, max_model_len: length }) =>
    typeof id === 'string' ? [{ id, maxModelLen: typeof length === 'number' ? length : undefined }] : [],
  )
}

/** Counts by vLLM's `/tokenize`. Undefined where there is none. */
export function countByTokenize(options: ServerOptions, model: string, endpoint: Endpoint): CountTokens {
  return async (content) => {
    const asked = endpoint === 'chat' ? { messages: [{ role: 'user', content }] } : { prompt: content }
    const { status, text } = await ask(options, '/tokenize', { model, ...asked })
    if (status !== 200) return undefined
    const { count, tokens } = (json(text) ?? {}) as { count?: unknown; tokens?: readonly number[] }
    return typeof count === 'number' ? { count, ...(Array.isArray(tokens) ? { tokens } : {}) } : undefined
  }
}

/** Counts by asking for one token: any server of the API says in `usage` what it read. */
export function countByUsage(options: ServerOptions, model: string, endpoint: Endpoint): CountTokens {
  return async (content) => {
    const asked = endpoint === 'chat' ? { messages: [{ role: 'user', content }] } : { prompt: content }
    const { status, text } = await ask(options, ENDPOINT_PATHS[endpoint], { model, ...asked, max_tokens: 1 })
    const usage =
      status === 200 ? (json(text) as { usage?: { prompt_tokens?: unknown } } | undefined)?.usage : undefined
    return typeof usage?.prompt_tokens === 'number' ? { count: usage.prompt_tokens } : undefined
  }
}

/** Tokens looked for in vLLM's prefix cache and found there since its start; undefined where it does not expose them. */
export async function prefixCache(options: ServerOptions): Promise<{ queries: number; hits: number } | undefined> {
  const { status, text } = await ask(options, '/metrics')
  if (status !== 200) return undefined
  const sum = (family: string): number | undefined => {
    const values = [...text.matchAll(new RegExp(`^${family}(?:\\{[^\\n]*\\})? (\\S+)`, 'gm'))].map(([, value]) =>
      Number(value),
    )
    return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0)
  }
  const [queries, hits] = [sum('vllm:prefix_cache_queries_total'), sum('vllm:prefix_cache_hits_total')]
  return queries === undefined || hits === undefined ? undefined : { queries, hits }
}

/** Status 0 and why where there is no answer. */
async function ask(
  { base, headers, timeoutMs }: ServerOptions,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(under(base, path), {
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    const { cause, message, name } = error as Error & { cause?: { code?: string; message?: string } }
    const text =
      name === 'TimeoutError' ? `no answer in ${timeoutMs / 1000} s` : (cause?.code ?? cause?.message ?? message)
    return { status: 0, text }
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
