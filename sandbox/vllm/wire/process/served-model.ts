import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ModelSpec } from '../../../../fixtures/models/model.ts'
import { modelFromConfig } from '../../memory/model-from-config.ts'
import type { RunnableServer } from '../../server/resolve.ts'
import type { ServedModel } from '../serving.ts'
import { chatTemplate } from '../template/chat-template.ts'
import { textOfModel } from '../text-of-model.ts'
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
  const text = textOfModel({
    model: root,
    tokenizer: path,
    chatTemplate: given,
    contentFormat,
    servedName: names[0],
    vocabSize: spec.vocabSize,
    unixSeconds,
  })
  const { tokenizer, template, templateContext, templateSource } = text
  const from = path ?? root
  return {
    model: {
      names,
      root,
      maxModelLen: memory.limits.maxModelLen,
      tokenizer,
      template,
      templateOf: (source) => chatTemplate(source, templateContext),
      loras: new Map(),
    },
    tokenizerInfo: tokenizer.exact ? infoOf(from, templateSource) : undefined,
    note: tokenizer.exact ? `tokens are exact: ${from}` : text.assumptions.join('\n'),
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
