import { badRequest, WireError } from '../errors.ts'
import type { ChatRequest } from '../protocol/chat.ts'
import type { CompletionRequest } from '../protocol/completion.ts'
import type { PyDict } from '../python/value.ts'
import type { LoraAdapter, Serving } from '../serving.ts'
import { checkEngine, checkModel } from './model.ts'

/** What is refused before messages are looked at. Returns the adapter that is meant. */
// follows vllm/entrypoints/openai/chat_completion/serving.py and vllm/renderers/online_renderer.py (render_chat)
export function beforeChat(request: ChatRequest, serving: Serving): LoraAdapter | undefined {
  const adapter = checkModel(request.model, serving)
  checkEngine(serving)
  checkToolChoice(request, serving)
  checkTemplateTrust(request, serving)
  checkMediaOptions(request)
  return adapter
}

/** What is refused before prompts are looked at. Returns the adapter that is meant. */
// follows vllm/entrypoints/openai/completion/serving.py and vllm/renderers/online_renderer.py (render_completion)
export function beforeCompletion(request: CompletionRequest, serving: Serving): LoraAdapter | undefined {
  if (request.stream && request.useBeamSearch) throw badRequest('Streaming is not currently supported with beam search')
  const adapter = checkModel(request.model, serving)
  checkEngine(serving)
  if (request.suffix !== undefined) throw suffixError(request)
  checkEmbeds(request)
  return adapter
}

/** Tools need a parser of what the model writes. */
function checkToolChoice({ toolChoice }: ChatRequest, { flags }: Serving): void {
  if (flags.toolCallParser !== undefined || toolChoice === undefined || toolChoice === 'none') return
  if (toolChoice === 'auto') {
    if (flags.enableAutoToolChoice) return
    throw badRequest('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set')
  }
  const described = typeof toolChoice === 'string' ? `"${toolChoice}"` : `function "${toolChoice.name}"`
  throw badRequest(`tool_choice=${described} requires --tool-call-parser to be set`)
}

interface TemplateOptions {
  readonly chatTemplate: string | undefined
  readonly chatTemplateKwargs: PyDict | undefined
}

/** A request's own template is taken only where the server is told to. */
export function checkTemplateTrust({ chatTemplate, chatTemplateKwargs }: TemplateOptions, { flags }: Serving): void {
  const inKwargs = (chatTemplateKwargs?.get('chat_template') ?? null) !== null
  if (flags.trustRequestChatTemplate || (chatTemplate === undefined && !inKwargs)) return
  throw badRequest(
    'Chat template is passed with request, but --trust-request-chat-template is not set. Refused request with untrusted chat template.',
  )
}

interface MediaOptions {
  readonly mmProcessorKwargs: PyDict | undefined
  readonly mediaIoKwargs: PyDict | undefined
}

/** Options of media are taken only from trusted clients. */
// follows validate_request_mm_kwargs of vllm/entrypoints/generate/base/protocol.py
export function checkMediaOptions({ mmProcessorKwargs, mediaIoKwargs }: MediaOptions): void {
  if ((mmProcessorKwargs?.size ?? 0) > 0)
    throw badRequest(
      'Per-request mm_processor_kwargs are disabled by default because they can change multimodal preprocessing resource usage. Start the server with --trust-request-mm-kwargs only when clients are trusted.',
      'mm_processor_kwargs',
    )
  if ((mediaIoKwargs?.size ?? 0) > 0)
    throw badRequest(
      'Per-request media_io_kwargs are disabled by default because they can change multimodal media loading resource usage. Start the server with --trust-request-mm-kwargs only when clients are trusted.',
      'media_io_kwargs',
    )
}

function suffixError(request: CompletionRequest): WireError {
  return new WireError(400, 'BadRequestError', suffixProblem(request), 'suffix')
}

function suffixProblem({ echo, promptEmbeds, truncatePromptTokens, prompts, hasPrompt }: CompletionRequest): string {
  if (echo) return 'Echo is unsupported with suffix.'
  if (promptEmbeds !== undefined) return 'suffix is not supported with prompt_embeds'
  if (truncatePromptTokens !== undefined) return 'suffix is not supported with truncate_prompt_tokens'
  return hasPrompt && prompts.every((prompt) => typeof prompt === 'string')
    ? 'suffix is only supported for models with FIM completion rendering'
    : 'suffix requires text prompt input for FIM completion rendering'
}

function checkEmbeds({ echo, promptLogprobs, promptEmbeds }: CompletionRequest): void {
  if (promptEmbeds === undefined) return
  if (echo) throw badRequest('Echo is unsupported with prompt embeds.')
  if (promptLogprobs !== undefined) throw badRequest('prompt_logprobs is not compatible with prompt embeds.')
}
