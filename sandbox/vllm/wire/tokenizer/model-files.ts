import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { WireTokenizer } from '../serving.ts'
import { exactTokenizer } from './exact-tokenizer.ts'

type Json = Readonly<Record<string, unknown>>

/** What lies in a model's folder, as far as text is concerned. */
export interface ModelFiles {
  readonly tokenizer: Json | undefined
  readonly tokenizerConfig: Json
  readonly config: Json
  readonly generationConfig: Json
  /** chat_template.jinja, or what tokenizer_config.json has. */
  readonly chatTemplate: string | undefined
}

/**
 * Reads a model's folder, or the folder of a tokenizer.json. Undefined where there is none of these files. Throws a SyntaxError for one
 * that is no JSON.
 */
export function readModelFiles(path: string): ModelFiles | undefined {
  const isFile = existsSync(path) && statSync(path).isFile()
  const folder = isFile ? dirname(path) : path
  const read = (name: string): string | undefined => {
    const file = join(folder, name)
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }
  const json = (name: string, text = read(name)): Json | undefined =>
    text === undefined ? undefined : (JSON.parse(text) as Json)
  const tokenizer = isFile ? json(path, readFileSync(path, 'utf8')) : json('tokenizer.json')
  const config = json('config.json')
  const tokenizerConfig = json('tokenizer_config.json')
  if (!tokenizer && !config && !tokenizerConfig) return undefined
  return {
    tokenizer,
    tokenizerConfig: tokenizerConfig ?? {},
    config: config ?? {},
    generationConfig: json('generation_config.json') ?? {},
    chatTemplate: read('chat_template.jinja') ?? templateOf(tokenizerConfig?.['chat_template']),
  }
}

/** The exact tokenizer of a folder; undefined where it has no tokenizer.json. */
export function tokenizerOfFiles({ tokenizer, tokenizerConfig, config }: ModelFiles): WireTokenizer | undefined {
  if (!tokenizer) return undefined
  const size = config['vocab_size']
  return exactTokenizer({ tokenizer, config: tokenizerConfig, vocabSize: typeof size === 'number' ? size : undefined })
}

/** Of several named templates the one called `default`. */
function templateOf(template: unknown): string | undefined {
  if (typeof template === 'string') return template
  if (!Array.isArray(template)) return undefined
  const named = template as readonly { readonly name?: string; readonly template?: string }[]
  return named.find(({ name }) => name === 'default')?.template
}
