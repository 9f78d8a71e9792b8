import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorObject, WireError } from '../errors.ts'
import { batchChatRequest } from '../protocol/batch-chat.ts'
import { type ChatRequest, chatRequest } from '../protocol/chat.ts'
import { type CompletionRequest, completionRequest } from '../protocol/completion.ts'
import { responsesRequest } from '../protocol/responses.ts'
import { detokenizeRequest, tokenizeRequest } from '../protocol/tokenize.ts'
import { parsePythonJson } from '../python/json-scanner.ts'
import type { Serving } from '../serving.ts'
import { engineChecks, promptLimits, samplingParams } from './index.ts'

/** Bodies beside vLLM's own request classes, asked by fixtures/vllm/request-models/ask.py. */

interface Refusal {
  readonly status: number
  readonly answer: unknown
}

interface Case {
  readonly path: string
  readonly body: string
  readonly refused?: Refusal
  readonly engine?: Refusal
  readonly params?: unknown
}

const cases = readFileSync(join(import.meta.dirname, '../../../../fixtures/vllm/request-models/cases.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case)

/** Where the mock is known to say something else: it takes what llguidance refuses only at a second look. */
const OPEN = ['"(?m)^a$"', '"^*"', '"start: b"', '"start: /(/"', '"start: \\"a\\" !"']

const PROMPT_TOKENS = 11

const serving = {
  settings: { dataParallelSize: { value: 1 } },
  flags: { maxLogprobs: 20 },
  model: {
    maxModelLen: 2048,
    tokenizer: { vocabSize: 1024, maxTokenId: 1023, encode: () => [5] },
  },
} as unknown as Serving

/** What comes of a body, as the file writes it. */
function outcome({ path, body }: Case): Omit<Case, 'path' | 'body'> {
  const value = parsePythonJson(body)
  try {
    if (path === '/tokenize') tokenizeRequest.parse(value)
    else if (path === '/detokenize') detokenizeRequest.parse(value)
    else if (path === '/v1/responses') responsesRequest.parse(value)
    else if (path === '/v1/chat/completions/batch') batchChatRequest.parse(value)
    else return sampled(path === '/v1/completions' ? completionRequest.parse(value) : chatRequest.parse(value))
    return { params: null }
  } catch (error) {
    return { refused: refusal(error) }
  }
}

function sampled(request: ChatRequest | CompletionRequest): Omit<Case, 'path' | 'body'> {
  const alike = request.kind === 'completion' ? { ...request, prompts: ['x'], promptEmbeds: undefined } : request
  promptLimits(alike, serving.model)
  const params = samplingParams({ ...alike, truncatePromptTokens: undefined }, PROMPT_TOKENS, serving)
  if (request.useBeamSearch) return { params: null }
  try {
    const unasked = { thinkingTokenBudget: undefined, fields: new Map() }
    engineChecks({ request: { ...alike, ...unasked }, params, promptTokenIds: [5] }, serving)
  } catch (error) {
    return { engine: refusal(error) }
  }
  const { logitBias } = params
  return {
    params: {
      n: params.n,
      temperature: params.temperature,
      top_p: params.topP,
      top_k: params.topK,
      max_tokens: params.maxTokens,
      min_tokens: params.minTokens,
      stop: params.stop,
      stop_token_ids: params.stopTokenIds,
      logprobs: params.logprobs ?? null,
      prompt_logprobs: params.promptLogprobs ?? null,
      bad_words: params.badWords,
      ignore_eos: params.ignoreEos,
      logit_bias: logitBias === undefined ? null : [...logitBias].sort(([a], [b]) => a - b),
    },
  }
}

function refusal(error: unknown): Refusal {
  if (!(error instanceof WireError)) throw error
  return { status: error.status, answer: errorObject(error) }
}

describe('bodies beside vLLM’s request classes', () => {
  test('there are many, with all outcomes', () => {
    expect(cases.length).toBeGreaterThan(600)
    expect(cases.filter(({ refused }) => refused).length).toBeGreaterThan(200)
    expect(cases.filter(({ engine }) => engine).length).toBeGreaterThan(80)
  })

  const asked = cases.filter(({ body }) => !OPEN.some((text) => body.includes(text)))

  test.each(asked.map((one, i) => [i, one.path, one.body, one] as const))('%i: %s %s', (_, path, __, one) => {
    const { path: ___, body: ____, ...expected } = one
    // of a batch, what single conversations are refused for comes later
    if (path.endsWith('batch') && !expected.refused) return
    expect(outcome(one)).toEqual(expected)
  })

  test('what is known to differ still does', () => {
    const open = cases.filter(({ body }) => OPEN.some((text) => body.includes(text)))
    expect(open).toHaveLength(OPEN.length)
    for (const one of open) expect(outcome(one)).not.toMatchObject({ engine: one.engine })
  })
})
