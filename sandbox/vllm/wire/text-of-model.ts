import { existsSync, readFileSync } from 'node:fs'
import type { ChatTemplate, WireTokenizer } from './serving.ts'
import { type BuiltInChat, builtInChatOf } from './template/built-in.ts'
import { chatTemplate, type TemplateContext } from './template/chat-template.ts'
import { estimatedTokenizer } from './tokenizer/estimated-tokenizer.ts'
import { contentOf } from './tokenizer/exact-tokenizer.ts'
import { type ModelFiles, readModelFiles, tokenizerOfFiles } from './tokenizer/model-files.ts'

export interface TextOptions {
  /** As on the command line: a name, or a folder. */
  readonly model: string
  /** `--tokenizer`: a folder or a tokenizer.json. */
  readonly tokenizer?: string | undefined
  /** `--chat-template`: a file, or the template itself. */
  readonly chatTemplate?: string | undefined
  /** `--chat-template-content-format`, unless auto. */
  readonly contentFormat?: 'string' | 'openai' | undefined
  /** The first served name. */
  readonly servedName: string
  /** Of the model's shape, where no file tells. */
  readonly vocabSize: number
  unixSeconds(): number
}

/** How a model reads and writes text. */
export interface ModelText {
  readonly tokenizer: WireTokenizer
  readonly template: ChatTemplate | undefined
  /** As text. */
  readonly templateSource: string | undefined
  /** For a template that comes with a request. */
  readonly templateContext: TemplateContext
  /** What was assumed, one line each, to be told at start-up. */
  readonly assumptions: readonly string[]
}

/** Finds tokenizer and template of a model. Throws where a file is broken, or a file that was named is not there. */
export function textOfModel(options: TextOptions): ModelText {
  const { model, servedName, contentFormat, unixSeconds } = options
  const files = readModelFiles(options.tokenizer ?? model)
  const exact = files && tokenizerOfFiles(files)
  const chat = builtInChatOf(model)
  const tokenizer = exact ?? estimateOf(options, chat, files)
  const assumptions = exact
    ? []
    : [
        `no tokenizer.json for ${model}: tokens are estimated, counts are near those of a large vocabulary; name a folder that has one by --tokenizer`,
      ]
  const specialTokens = exact ? namedTokens(files.tokenizerConfig) : tokensOf(chat)
  const templateContext: TemplateContext = { modelName: servedName, specialTokens, contentFormat, unixSeconds }
  const own = givenTemplate(options.chatTemplate) ?? files?.chatTemplate
  if (own === undefined && !exact)
    assumptions.push(`no chat template for ${model}: chats are written as ${chat.family} models do`)
  const source = own ?? (exact ? undefined : chat.template)
  const template = source === undefined ? undefined : chatTemplate(source, templateContext)
  return { tokenizer, template, templateSource: source, templateContext, assumptions }
}

function estimateOf(options: TextOptions, chat: BuiltInChat, files: ModelFiles | undefined): WireTokenizer {
  const named = files?.config['vocab_size']
  return estimatedTokenizer({ ...chat, vocabSize: typeof named === 'number' ? named : options.vocabSize })
}

// follows load_chat_template in vllm/renderers/chat_utils.py
function givenTemplate(given: string | undefined): string | undefined {
  if (given === undefined) return undefined
  if (existsSync(given)) return readFileSync(given, 'utf8')
  if (/[{}\n]/.test(given)) return given
  throw new RangeError(
    `The supplied chat template (${given}) looks like a file path, but it failed to be opened. Reason: [Errno 2] No such file or directory: '${given}'`,
  )
}

const TOKEN_NAMES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token']

function namedTokens(config: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    TOKEN_NAMES.flatMap((name) => {
      const text = contentOf(config[name])
      return text === undefined ? [] : [[name, text]]
    }),
  )
}

const tokensOf = ({ eosToken, bosToken }: BuiltInChat): Record<string, string> => ({
  eos_token: eosToken,
  bos_token: bosToken ?? '',
})
