import { badRequest } from '../errors.ts'
import type { ChatRequest } from '../protocol/chat.ts'
import { toPlain } from '../python/value.ts'
import type { Serving } from '../serving.ts'
import { type ConversationMessage, conversationOf, type Json, type TemplateMessage } from './conversation.ts'

/** What of a request its prompt is made of. */
export type ChatToRender = Pick<
  ChatRequest,
  'messages' | 'addGenerationPrompt' | 'continueFinalMessage' | 'chatTemplate' | 'chatTemplateKwargs' | 'tools'
> &
  Partial<Pick<ChatRequest, 'documents' | 'reasoningEffort'>>

export type { ConversationMessage } from './conversation.ts'

const NO_TEMPLATE =
  'As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the tokenizer does not define one.'

/** The prompt of a chat, by its own template where it brings one, else the model's. Throws a WireError. */
// follows render_chat in vllm/renderers/online_renderer.py
export function renderChat(
  request: ChatToRender,
  serving: Serving,
): { readonly text: string; readonly conversation: readonly ConversationMessage[] } {
  const { model } = serving
  const template = request.chatTemplate === undefined ? model.template : model.templateOf(request.chatTemplate)
  const messages = request.messages.read().map((message) => toPlain(message) as Json)
  const conversation = conversationOf(messages, template?.contentFormat ?? 'string', model.names[0])
  if (!template) throw badRequest(NO_TEMPLATE)
  const text = template.render(messages, variablesOf(request))
  return { text, conversation: conversation.map(asText) }
}

/** What a request says of itself goes before `chat_template_kwargs`. */
// follows build_chat_params in vllm/entrypoints/openai/chat_completion/protocol.py
function variablesOf(request: ChatToRender): Record<string, unknown> {
  const { tools, documents, reasoningEffort, chatTemplateKwargs } = request
  const { tokenize: _, ...kwargs } = (chatTemplateKwargs ? toPlain(chatTemplateKwargs) : {}) as Json
  const effort = reasoningEffort === undefined ? {} : { enable_thinking: reasoningEffort !== 'none', ...kwargs }
  return {
    ...kwargs,
    ...effort,
    add_generation_prompt: request.addGenerationPrompt,
    continue_final_message: request.continueFinalMessage,
    ...(documents ? { documents: documents.map(toPlain) } : {}),
    ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort }),
    tools: tools?.map(({ dict }) => toPlain(dict)) ?? null,
  }
}

const asText = ({ role, content }: TemplateMessage): ConversationMessage => ({
  role,
  content: typeof content === 'string' ? content : content.map(({ text }) => String(text ?? '')).join('\n'),
})
