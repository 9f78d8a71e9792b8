import { badRequest } from '../errors.ts'
import type { ToolParam } from '../protocol/generate.ts'
import type { ChatMessages } from '../protocol/messages.ts'
import { type PyDict, toPlain } from '../python/value.ts'
import type { ChatTemplate, Serving } from '../serving.ts'
import { type ConversationMessage, conversationOf, type Json } from './conversation.ts'

/** What of a request its prompt is made of. */
export interface ChatToRender {
  readonly messages: ChatMessages
  readonly addGenerationPrompt: boolean
  readonly continueFinalMessage: boolean
  /** Its own template; whether it may have one is checked already. */
  readonly chatTemplate: string | undefined
  readonly chatTemplateKwargs: PyDict | undefined
  readonly tools: readonly ToolParam[] | undefined
  readonly documents?: readonly PyDict[] | undefined
  readonly reasoningEffort?: string | undefined
}

export interface RenderedChat {
  readonly text: string
  /** Messages as the template got them. */
  readonly conversation: readonly ConversationMessage[]
}

/** The prompt of a chat. Throws a WireError where its messages, or the template, are no good. */
// follows vllm/renderers/hf.py and build_chat_params of vllm/entrypoints/openai/chat_completion/protocol.py
export function renderChat(request: ChatToRender, { model }: Serving): RenderedChat {
  const messages = request.messages.read().map(toPlain)
  const template = templateFor(request, model)
  const text = template.render(messages, variablesOf(request))
  return { text, conversation: conversationOf(messages, template.contentFormat, model.names[0]) }
}

function templateFor({ chatTemplate, chatTemplateKwargs }: ChatToRender, model: Serving['model']): ChatTemplate {
  const inKwargs = chatTemplateKwargs?.get('chat_template')
  const own = chatTemplate || (typeof inKwargs === 'string' ? inKwargs : undefined)
  if (own) return model.templateOf(own)
  if (model.template) return model.template
  throw badRequest(
    'As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the tokenizer does not define one.',
  )
}

/** What the request says counts before what its kwargs say, unless it says nothing. */
function variablesOf(request: ChatToRender): Json {
  const { chatTemplateKwargs: kwargs, reasoningEffort, tools, documents } = request
  const variables: Json = {}
  for (const [name, value] of kwargs ?? []) variables[name] = toPlain(value)
  delete variables['chat_template']
  variables['add_generation_prompt'] = request.addGenerationPrompt
  variables['continue_final_message'] = request.continueFinalMessage
  if (documents !== undefined) variables['documents'] = documents.map(toPlain)
  if (reasoningEffort !== undefined) {
    variables['reasoning_effort'] = reasoningEffort
    if (!kwargs?.has('enable_thinking')) variables['enable_thinking'] = reasoningEffort !== 'none'
  }
  if (tools !== undefined) variables['tools'] = tools.map(({ dict }) => toPlain(dict))
  return variables
}
