import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorObject, WireError } from '../errors.ts'
import type { WireRequest } from '../http.ts'
import { type ChatRequest, chatRequest } from '../protocol/chat.ts'
import { type CompletionRequest, completionRequest } from '../protocol/completion.ts'
import { parseBody } from '../protocol/parse-body.ts'
import { detokenizeRequest, tokenizeRequest } from '../protocol/tokenize.ts'
import { dumps, dumpsCompact, type Json } from '../python/dumps.ts'
import type { Serving } from '../serving.ts'
import { chatTemplate } from '../template/chat-template.ts'
import { renderChat } from '../template/render-chat.ts'
import { textOfModel } from '../text-of-model.ts'
import {
  acceptPromptIds,
  beforeChat,
  beforeCompletion,
  checkModel,
  checkTemplateTrust,
  encodePrompt,
  engineChecks,
  promptLimits,
  samplingParams,
} from './index.ts'

/** Every refusal a real server was recorded with, asked of the checks alone: no sockets, no engine. */

const fixtures = join(import.meta.dirname, '../../../../fixtures/vllm')

interface Recorded {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | null
  readonly base64?: string
  readonly status: number
  readonly head: readonly string[]
  readonly answer: string
}

const PATHS = ['/v1/chat/completions', '/v1/completions', '/tokenize', '/detokenize']

const recorded = ['default', 'precedence'].flatMap((set) =>
  readFileSync(join(fixtures, `recordings/0.32.0/${set}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as Recorded)
    .filter(({ method, path, status }) => method === 'POST' && PATHS.includes(path) && status < 600),
)

const { tokenizer, template, templateContext } = textOfModel({
  model: join(fixtures, 'tiny-llama'),
  servedName: 'tiny-llama',
  vocabSize: 1024,
  unixSeconds: () => 0,
})

const serving = {
  settings: { dataParallelSize: { value: 1 } },
  engineState: 'running',
  flags: { maxLogprobs: 20, toolCallParser: undefined, enableAutoToolChoice: false, trustRequestChatTemplate: false },
  model: {
    names: ['tiny-llama'],
    maxModelLen: 2048,
    tokenizer,
    template,
    templateOf: (source: string) => chatTemplate(source, templateContext),
    loras: new Map(),
  },
} as unknown as Serving

interface Refusal {
  readonly status: number
  readonly answer: string
  readonly varied: boolean
}

/** What the checks say of a request; undefined: nothing. */
function refusalOf(request: Recorded): Refusal | undefined {
  try {
    const engine = ask(request)
    return (
      engine && { status: 200, answer: `data: ${dumps(errorObject(engine) as Json)}\n\ndata: [DONE]\n\n`, varied: true }
    )
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return { status: error.status, answer: dumpsCompact(errorObject(error) as Json), varied: !error.unhandled }
  }
}

/** Runs the checks in their order. Returns what a stream is told by the engine. */
function ask(recording: Recorded): WireError | undefined {
  const request = wireRequest(recording)
  if (recording.path === '/detokenize') {
    checkModel(parseBody(request, detokenizeRequest).model, serving)
    return undefined
  }
  if (recording.path === '/tokenize') {
    const body = parseBody(request, tokenizeRequest)
    checkModel(body.model, serving)
    if (body.kind === 'tokenize-text') return undefined
    checkTemplateTrust(body, serving)
    renderChat(body, serving)
    return undefined
  }
  const body =
    recording.path === '/v1/completions' ? parseBody(request, completionRequest) : parseBody(request, chatRequest)
  const prompts = promptsOf(body)
  const params = prompts.map((ids) => samplingParams(body, ids.length, serving))
  const rank = request.headers.get('x-data-parallel-rank')
  try {
    for (const [i, promptTokenIds] of prompts.entries())
      engineChecks(
        {
          request: body,
          params: params[i]!,
          promptTokenIds,
          dataParallelRank: rank === undefined ? undefined : Number(rank),
        },
        serving,
      )
  } catch (error) {
    if (body.stream && error instanceof WireError) return error
    throw error
  }
  return undefined
}

function promptsOf(body: ChatRequest | CompletionRequest): readonly number[][] {
  if (body.kind === 'chat') {
    beforeChat(body, serving)
    const limits = promptLimits(body, serving.model)
    return [encodePrompt(renderChat(body, serving).text, limits, tokenizer)]
  }
  beforeCompletion(body, serving)
  const limits = promptLimits(body, serving.model)
  return body.prompts.map((prompt) =>
    typeof prompt === 'string' ? encodePrompt(prompt, limits, tokenizer) : acceptPromptIds(prompt, limits),
  )
}

function wireRequest({ headers = {}, body, base64 }: Recorded): WireRequest {
  const names = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const sent = base64 === undefined ? Buffer.from(body ?? '') : Buffer.from(base64, 'base64')
  return { headers: names, body: sent } as unknown as WireRequest
}

const isRefusal = ({ status, answer }: Recorded): boolean => status >= 400 || answer.startsWith('data: {"error"')
/** Refused by what comes later: the decoder. */
const LATER = ['d_10']

describe('recorded requests', () => {
  const refused = recorded.filter((request) => isRefusal(request) && !LATER.includes(request.name))

  test('there are many of them', () => {
    expect(refused.length).toBeGreaterThan(300)
  })

  test.each(refused.map((request) => [request.name, request] as const))(
    '%s is refused in the same words',
    (_, request) => {
      const varied = request.head.includes('vary: Origin')
      expect(refusalOf(request)).toEqual({ status: request.status, answer: request.answer, varied })
    },
  )

  test('none that was answered is refused', () => {
    const answered = recorded.filter((request) => request.status === 200 && !isRefusal(request))
    expect(answered.filter((request) => refusalOf(request) !== undefined).map(({ name }) => name)).toEqual([])
  })
})
