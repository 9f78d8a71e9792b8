import { badRequest } from '../../errors.ts'
import type { StructuredOutputs } from '../../generation.ts'
import type { Chance } from './chance.ts'
import { grammarText } from './grammar.ts'
import { jsonInstance } from './json-instance.ts'
import type { Schema } from './json-valid.ts'
import { plainJson } from './plain-json.ts'
import { textPattern } from './regex.ts'

/** Makes a text that a constraint allows. */
export type TextMaker = (chance: Chance) => string

const CACHED_MAX = 128
const makers = new Map<string, TextMaker>()
const JSON_OBJECT: Schema = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] }

/** What makes texts for a constraint; the same one again for the same constraint. Throws a WireError for one that is none. */
// follows _validate_structured_outputs in vllm/sampling_params.py
export function constraintOf(structured: StructuredOutputs): TextMaker {
  const json = structured.json === undefined ? undefined : plainJson(structured.json)
  const key = JSON.stringify({ ...structured, json })
  const known = makers.get(key)
  if (known) return known
  const maker = makerOf(structured, json)
  if (makers.size >= CACHED_MAX) makers.clear()
  makers.set(key, maker)
  return maker
}

function makerOf({ choice, regex, grammar, jsonObject, structuralTag }: StructuredOutputs, json: unknown): TextMaker {
  if (choice !== undefined) return choiceText(choice)
  if (grammar !== undefined) {
    return grammarText(grammar)
  }
  if (json !== undefined) return jsonText(json)
  if (regex !== undefined) return regexText(regex)
  if (structuralTag !== undefined) return tagText(structuralTag)
  if (jsonObject === true)
    return (chance) => compact(jsonInstance(chance.small ? { type: 'object' } : JSON_OBJECT, chance))
  throw badRequest(
    'structured_outputs.json_object must be True if set; omit structured_outputs to disable structured outputs',
  )
}

function choiceText(choice: readonly string[]): TextMaker {
  if (choice.length === 0) throw badRequest("Choice '[]' cannot be an empty list")
  return (chance) => (chance.small ? choice.reduce((a, b) => (b.length < a.length ? b : a)) : chance.of(choice))
}

function jsonText(json: unknown): TextMaker {
  let schema = json
  if (typeof json === 'string') {
    if (json.trim() === '') throw badRequest('structured_outputs.json cannot be an empty string')
    try {
      schema = JSON.parse(json)
    } catch {
      throw badRequest('Invalid JSON grammar specification.')
    }
  }
  return (chance) => compact(jsonInstance(schema as Schema, chance))
}

const compact = (value: unknown): string => JSON.stringify(value) ?? 'null'

function regexText(regex: string): TextMaker {
  try {
    const pattern = textPattern(regex)
    return (chance) => pattern.make(chance) ?? ''
  } catch (error) {
    throw badRequest(`Grammar error: ${String(error)}`)
  }
}

interface Tag {
  readonly begin: string
  readonly end: string
  readonly schema?: Schema
  readonly content?: { readonly type?: string; readonly json_schema?: Schema }
}

/** The first tag there is, with content of its schema. */
function tagText(structuralTag: string): TextMaker {
  let spec: { readonly structures?: readonly Tag[]; readonly format?: { readonly tags?: readonly Tag[] } }
  try {
    spec = JSON.parse(structuralTag)
  } catch {
    throw badRequest('Invalid structural tag specification.')
  }
  const tag = (spec.structures ?? spec.format?.tags ?? [])[0]
  if (!tag) return () => ''
  const schema = tag.schema ?? tag.content?.json_schema ?? true
  return (chance) => `${tag.begin}${compact(jsonInstance(schema, chance))}${tag.end}`
}
