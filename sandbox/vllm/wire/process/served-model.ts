import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ModelSpec } from '../../../../fixtures/models/model.ts'
import { modelFromConfig } from '../../memory/model-from-config.ts'
import type { RunnableServer } from '../../server/resolve.ts'
import type { ServedModel, WireTokenizer } from '../serving.ts'
import { builtInChatOf } from '../template/built-in.ts'
import { chatTemplate, type TemplateContext } from '../template/chat-template.ts'
import { estimatedTokenizer } from '../tokenizer/estimated-tokenizer.ts'
import { type ModelFiles, readModelFiles, tokenizerOfFiles } from '../tokenizer/model-files.ts'
import { tokenizerInfoOf } from './tokenizer-info.ts'

export interface ServedModelOptions {
  readonly resolved: RunnableServer
  /** A tokenizer.json, or a folder with one, for a model that has none of its own here. */
  readonly tokenizer?: string | undefined
  /** `--chat-template`: a file, or the template itself. */
  readonly chatTemplate?: string | undefined
  readonly contentFormat?: 'string' | 'openai' | undefined
  unixSeconds(): number
}

export interface ReadModel {
  readonly model: ServedModel
  readonly tokenizerInfo: string | undefined
  /** What the user should know of it: where its tokens come from. */
  readonly note: string
}

/** The model as the wire serves it: exact text where its tokenizer is at hand, an estimate elsewhere. */
export function servedModelOf(options: ServedModelOptions): ReadModel {
  const { resolved, tokenizer: path, chatTemplate: given, contentFormat, unixSeconds } = options
  const { settings, memory, model: spec } = resolved
  const root = settings.model.value
  const names = settings.servedModelNames.value as readonly [string, ...string[]]
  const from = path ?? root
  const files = readModelFiles(from)
  const builtIn = builtInChatOf(root)
  const exact = files && tokenizerOfFiles(files)
  const tokenizer: WireTokenizer =
    exact ??
    estimatedTokenizer({
      vocabSize: spec.vocabSize,
      specialTokens: builtIn.specialTokens,
      eosToken: builtIn.eosToken,
      bosToken: builtIn.bosToken,
    })
  const specialTokens = exact
    ? specialTokensOf(files)
    : { eos_token: builtIn.eosToken, ...(builtIn.bosToken ? { bos_token: builtIn.bosToken } : {}) }
  const context: TemplateContext = { modelName: names[0], specialTokens, unixSeconds, contentFormat }
  const source =
    given === undefined ? (files?.chatTemplate ?? (exact ? undefined : builtIn.template)) : templateText(given)
  return {
    model: {
      names,
      root,
      maxModelLen: memory.limits.maxModelLen,
      tokenizer,
      template: source === undefined ? undefined : chatTemplate(source, context),
      templateOf: (text) => chatTemplate(text, context),
      loras: new Map(),
    },
    tokenizerInfo: exact ? infoOf(from, source) : undefined,
    note: exact
      ? `tokens are exact: ${from}`
      : `tokens are estimated (${builtIn.family} chat form): --tokenizer FILE gives the model's own tokenizer.json`,
  }
}

/** Describes a model that lies in a folder on this machine. Undefined: there is no config.json that tells. */
export function modelInFolder(path: string): { readonly model: ModelSpec; readonly because: string } | undefined {
  const file = join(path, 'config.json')
  if (!existsSync(file)) return undefined
  const weights = readdirSync(path).filter((name) => /\.(safetensors|bin|pt)$/.test(name))
  const bytes = weights.reduce((sum, name) => sum + statSync(join(path, name)).size, 0)
  const model = modelFromConfig(path, JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>, bytes)
  return model && { model, because: `${path} is described by its config.json` }
}

function specialTokensOf({ tokenizerConfig }: ModelFiles): Record<string, string> {
  const tokens: Record<string, string> = {}
  for (const [name, value] of Object.entries(tokenizerConfig)) {
    if (!name.endsWith('_token')) continue
    const text = typeof value === 'string' ? value : (value as { content?: unknown } | null)?.content
    if (typeof text === 'string') tokens[name] = text
  }
  return tokens
}

/** A template given on the command line: a file, or itself where it cannot be a path. */
// follows load_chat_template in vllm/entrypoints/chat_utils.py
function templateText(given: string): string {
  if (existsSync(given)) return readFileSync(given, 'utf8')
  if (/[{}\n]/.test(given)) return given
  throw new RangeError(
    `The supplied chat template (${given}) looks like a file path, but it failed to be opened. Reason: [Errno 2] No such file or directory: '${given}'`,
  )
}

function infoOf(path: string, template: string | undefined): string | undefined {
  const folder = statSync(path).isFile() ? dirname(path) : path
  const read = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : undefined)
  return tokenizerInfoOf({
    tokenizerConfig: read('tokenizer_config.json'),
    tokenizer: read('tokenizer.json'),
    chatTemplate: template,
    path,
  })
}
