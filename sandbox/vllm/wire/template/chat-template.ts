import { Template } from '@huggingface/jinja'
import { badRequest, WireError } from '../errors.ts'
import type { ChatTemplate } from '../serving.ts'
import { contentFormatOf } from './content-format.ts'
import { conversationOf, type Json, type TemplateMessage, withoutDeveloper } from './conversation.ts'
import { NewScope, TemplateInterpreter } from './interpreter.ts'
import { bracketProblem } from './syntax.ts'

export interface TemplateContext {
  /** As in error messages. */
  readonly modelName: string
  /** `bos_token`, `eos_token` and others by these names, as text. */
  readonly specialTokens: Readonly<Record<string, string>>
  /** Now, for templates that print the date: Unix seconds. */
  unixSeconds(): number
  /** Given by the user, against what the template looks like. */
  readonly contentFormat?: 'string' | 'openai' | undefined
}

const TAG = 'CONTINUE_FINAL_MESSAGE_TAG '
/** Names a template's own parts have. */
const BUILT_IN = new Set(['false', 'true', 'none', 'False', 'True', 'None', 'range', 'raise_exception', 'strftime_now'])

/** A Jinja chat template. Throws a WireError where its text is none. */
export function chatTemplate(source: string, context: TemplateContext): ChatTemplate {
  const template = parsed(source)
  const contentFormat = context.contentFormat ?? contentFormatOf(template.parsed)
  const knowsDeveloper = /"developer"|'developer'/.test(source)
  return {
    contentFormat,
    render: (messages, variables) => {
      const given = conversationOf(messages, contentFormat, context.modelName)
      const hasDeveloper = given.some(({ role }) => role === 'developer')
      const conversation = hasDeveloper && !knowsDeveloper ? withoutDeveloper(given) : given
      refuseCombinations(conversation, variables)
      if (!variables['continue_final_message']) return rendered(template, conversation, variables, context)
      const { tagged, text } = withTag(conversation)
      return untilTag(rendered(template, tagged, variables, context), text)
    },
  }
}

// follows apply_chat_template in transformers/tokenization_utils_base.py
function refuseCombinations(conversation: readonly TemplateMessage[], variables: Readonly<Json>): void {
  const unexpected = ['chat_template', 'tokenize'].filter((name) => name in variables)
  if (unexpected.length > 0) {
    const names = unexpected.map((name) => `'${name}'`).join(', ')
    throw badRequest(`Found unexpected chat template kwargs from request: {${names}}`)
  }
  if (conversation.length === 0)
    throw badRequest('Cannot apply chat template to an empty conversation. Provide at least one message.')
  if (variables['continue_final_message'] && variables['add_generation_prompt'])
    throw badRequest(
      'continue_final_message and add_generation_prompt are not compatible. Use continue_final_message when you want the model to continue the final message, and add_generation_prompt when you want to add a header that will prompt it to start a new assistant message instead.',
    )
}

function rendered(
  { parsed }: Template,
  messages: readonly TemplateMessage[],
  variables: Readonly<Json>,
  { specialTokens, unixSeconds }: TemplateContext,
): string {
  const { continue_final_message: _, ...given } = variables
  const values: Json = { tools: null, documents: null, ...specialTokens, ...given, messages }
  return refusing(() => {
    const environment = new NewScope()
    for (const [name, value] of [
      ['false', false],
      ['true', true],
      ['none', null],
    ] as const) {
      environment.set(name, value)
      environment.set(name[0]!.toUpperCase() + name.slice(1), value)
    }
    environment.set('range', range)
    environment.set('raise_exception', (message: string) => {
      throw new Error(message)
    })
    environment.set('strftime_now', (format: string) => strftime(unixSeconds(), format))
    for (const [name, value] of Object.entries(values))
      if (!BUILT_IN.has(name) && value !== undefined) environment.set(name, value)
    return String(new TemplateInterpreter(environment).run(parsed).value)
  })
}

/** That a text is no template is an error nobody catches, whose status is that of a request's error all the same. */
function parsed(source: string): Template {
  const problem = bracketProblem(source)
  if (problem !== undefined) throw syntaxError(problem)
  try {
    return new Template(source)
  } catch (error) {
    throw syntaxError(error instanceof Error ? error.message : String(error))
  }
}

const syntaxError = (message: string): WireError =>
  new WireError(400, 'BadRequestError', message, null, { unhandled: true })

/** What a template says against a request is the request's error. */
function refusing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new WireError(400, 'BadRequestError', error instanceof Error ? error.message : String(error))
  }
}

/** The last message with a mark at its end. */
// follows render_jinja_template in transformers/utils/chat_template_utils.py
function withTag(conversation: readonly TemplateMessage[]): { tagged: TemplateMessage[]; text: string } {
  const last = conversation.at(-1)!
  const { content } = last
  if (typeof content === 'string')
    return { tagged: [...conversation.slice(0, -1), { ...last, content: content + TAG }], text: content }
  const at = content.findLastIndex((part) => 'text' in part)
  if (at < 0)
    throw badRequest('continue_final_message is set but we could not find any text to continue in the final message!')
  const text = String(content[at]!['text'])
  const parts = content.map((part, i) => (i === at ? { ...part, text: text + TAG } : part))
  return { tagged: [...conversation.slice(0, -1), { ...last, content: parts }], text }
}

function untilTag(prompt: string, text: string): string {
  const at = prompt.lastIndexOf(TAG.trim())
  if (at < 0 || !prompt.includes(text.trim()))
    throw badRequest(
      `continue_final_message is set but the final message does not appear in the chat after applying the chat template! This can happen if the chat template deletes portions of the final message. Please verify the chat template and final message in your chat to ensure they are compatible.Final message to continue: ${text.trim()}\nRendered chat:\n${prompt}`,
    )
  const before = prompt.slice(0, at)
  return prompt.startsWith(TAG, at) ? before : before.trimEnd()
}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  if (step === 0) throw new Error('range() step must not be zero')
  const values: number[] = []
  for (let value = from; step > 0 ? value < to : value > to; value += step) values.push(value)
  return values
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September']
const MONTH_NAMES = [...MONTHS, 'October', 'November', 'December']
const DAY_NAMES = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** The parts of a date that templates print, in UTC. */
function strftime(unixSeconds: number, format: string): string {
  const date = new Date(unixSeconds * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const month = MONTH_NAMES[date.getUTCMonth()]!
  const day = DAY_NAMES[date.getUTCDay()]!
  const hours = date.getUTCHours()
  const parts: Readonly<Record<string, string>> = {
    Y: String(date.getUTCFullYear()),
    y: two(date.getUTCFullYear() % 100),
    m: two(date.getUTCMonth() + 1),
    B: month,
    b: month.slice(0, 3),
    d: two(date.getUTCDate()),
    A: day,
    a: day.slice(0, 3),
    H: two(hours),
    I: two(hours % 12 === 0 ? 12 : hours % 12),
    p: hours < 12 ? 'AM' : 'PM',
    M: two(date.getUTCMinutes()),
    S: two(date.getUTCSeconds()),
    '%': '%',
  }
  return format.replace(/%(.)/g, (whole, letter: string) => parts[letter] ?? whole)
}
