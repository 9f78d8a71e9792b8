import { beforeChat, encodePrompt, engineChecks, promptLimits, samplingParams } from '../../checks/index.ts'
import type { GenerationRequest, SamplingParams } from '../../generation.ts'
import type { ChatRequest } from '../../protocol/chat.ts'
import type { LoraAdapter, Serving } from '../../serving.ts'
import { type ConversationMessage, renderChat } from '../../template/render-chat.ts'
import { answeringOf, choicesOf, dataParallelRankOf, priorityOf } from '../asked.ts'
import { toolCallId } from '../ids.ts'
import { counted } from '../tools/counted.ts'
import { toolParserOf } from '../tools/parsers.ts'
import { toolScript } from '../tools/script.ts'
import type { ChatAnswering, ToolAnswering } from './answering.ts'

/** A chat that has passed all checks before the engine's. */
export interface PreparedChat {
  readonly request: ChatRequest
  readonly lora: LoraAdapter | undefined
  readonly conversation: readonly ConversationMessage[]
  readonly text: string
  readonly promptTokenIds: readonly number[]
  readonly params: SamplingParams
}

/** Throws a WireError. */
// follows vllm/entrypoints/openai/chat_completion/serving.py _create_chat_completion
export function prepareChat(request: ChatRequest, serving: Serving): PreparedChat {
  const lora = beforeChat(request, serving)
  return { lora, ...renderedChat(request, serving) }
}

/** Prompt and parameters of a chat of which model, tools and template are checked already. */
export function renderedChat(request: ChatRequest, serving: Serving): Omit<PreparedChat, 'lora'> {
  const limits = promptLimits(request, serving.model)
  const { text, conversation } = renderChat(request, serving)
  const promptTokenIds = encodePrompt(text, limits, serving.model.tokenizer)
  const params = samplingParams(request, promptTokenIds.length, serving)
  return { request, conversation, text, promptTokenIds, params: withVisibleTags(request, params, serving) }
}

/** What the engine is asked. Header values count before those of the body. */
export function chatGeneration(
  { request, lora, promptTokenIds, params }: PreparedChat,
  serving: Serving,
  { id, headers }: { readonly id: string; readonly headers: ReadonlyMap<string, string> },
): GenerationRequest {
  const rank = dataParallelRankOf(headers)
  const script = toolParserOf(serving.flags) ? toolScript(request) : undefined
  return {
    id,
    promptTokenIds,
    params,
    priority: priorityOf(headers, request.priority),
    ...(lora ? { lora: lora.name } : {}),
    ...(rank === undefined ? {} : { dataParallelRank: rank }),
    ...(request.cacheSalt === undefined ? {} : { cacheSalt: request.cacheSalt }),
    ...(script === undefined ? {} : { script }),
  }
}

/** The engine's own checks. Throws a WireError: whole answers refuse, streams tell it in an event. */
export const checkAtEngine = ({ request }: PreparedChat, generation: GenerationRequest, serving: Serving): void =>
  engineChecks({ request, ...generation }, serving)

/** How the chat is to be answered. */
export function chatAnswering(prepared: PreparedChat, id: string, serving: Serving): ChatAnswering {
  const { request, lora, promptTokenIds, text } = prepared
  const { flags } = serving
  const role = roleOf(prepared, flags.responseRole)
  return {
    ...answeringOf(request, serving, { id, lora, sequences: choicesOf(request) }),
    logprobs: request.logprobs
      ? {
          top: Number(request.topLogprobs),
          all: (request.logprobTokenIds?.length ?? 0) > 0,
          asTokenIds: request.returnTokensAsTokenIds ?? flags.returnTokensAsTokenIds,
        }
      : undefined,
    role,
    promptTokenIds,
    promptText: request.returnPromptText ? text : undefined,
    echo: request.echo ? lastContent(prepared, role) : undefined,
    tools: toolAnswering(request, serving),
  }
}

/** The last message as it is repeated: only where it is of the role that answers. */
function lastContent({ conversation }: PreparedChat, role: string): string {
  const last = conversation.at(-1)
  return last?.role === role ? last.content : ''
}

function roleOf({ request, conversation }: PreparedChat, responseRole: string): string {
  if (request.addGenerationPrompt) return responseRole
  const role = request.messages.items.at(-1)?.get('role')
  return typeof role === 'string' ? role : (conversation.at(-1)?.role ?? responseRole)
}

function toolAnswering(request: ChatRequest, { flags, random, metrics }: Serving): ToolAnswering | undefined {
  const parser = toolParserOf(flags)
  if (!parser) return undefined
  const { toolChoice } = request
  return {
    choice: typeof toolChoice === 'object' ? 'named' : (toolChoice ?? 'unset'),
    parallel: request.parallelToolCalls !== false,
    includeReasoning: request.includeReasoning,
    parser: counted(parser, metrics.tools, 'chat_completions'),
    newId: () => toolCallId(random),
  }
}

/** Where tools may be called, special tokens stay in the text: tags of calls are such tokens in some models. */
// follows vllm/tool_parsers/hermes_tool_parser.py adjust_request
function withVisibleTags(request: ChatRequest, params: SamplingParams, { flags }: Serving): SamplingParams {
  const calls = (request.tools?.length ?? 0) > 0 && request.toolChoice !== 'none'
  return calls && toolParserOf(flags) ? { ...params, skipSpecialTokens: false } : params
}
