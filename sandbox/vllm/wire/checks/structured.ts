import { badRequest } from '../errors.ts'
import type { StructuredOutputs } from '../generation.ts'
import type { StructuredOutputsParams } from '../protocol/generate.ts'
import { parsePythonJson } from '../python/json-scanner.ts'
import { isDict, isList, type PyDict, type PyValue, toPlain } from '../python/value.ts'
import { checkGrammar } from './grammar.ts'
import { checkSchema } from './json-schema.ts'
import { checkRegex } from './regex.ts'

/** Constraints as the generation reads them. */
export function structuredOf(given: StructuredOutputsParams): StructuredOutputs {
  const { json, regex, choice, grammar, jsonObject, structuralTag } = given
  return {
    ...(json === undefined ? {} : { json: toPlain(typeof json === 'string' ? parsedOrNone(json) : json) }),
    ...(regex === undefined ? {} : { regex }),
    ...(choice === undefined ? {} : { choice }),
    ...(grammar === undefined ? {} : { grammar }),
    ...(jsonObject ? { jsonObject } : {}),
    ...(structuralTag === undefined ? {} : { structuralTag }),
  }
}

/** Refuses constraints no grammar can be made of. */
// follows _validate_structured_outputs of vllm/sampling_params.py
export function checkStructured(given: StructuredOutputsParams): void {
  const { json, regex, choice, grammar, jsonObject, structuralTag } = given
  if (choice?.length === 0) throw badRequest("Choice '[]' cannot be an empty list")
  if (grammar?.trim() === '') throw badRequest('structured_outputs.grammar cannot be an empty string')
  if (typeof json === 'string' && json.trim() === '')
    throw badRequest('structured_outputs.json cannot be an empty string')
  checkNesting(json, DEEPEST)
  checkNesting(structuralTag, DEEPEST + TAG_WRAPPER)
  if (jsonObject === false)
    throw badRequest(
      'structured_outputs.json_object must be True if set; omit structured_outputs to disable structured outputs',
    )
  if (regex?.includes('\0')) throw badRequest("structured_outputs.regex must not contain a NUL character ('\\x00')")
  if (regex !== undefined) checkRegex(regex)
  if (json !== undefined) checkSchema(schemaOf(json))
  if (grammar !== undefined) checkGrammar(grammar)
}

const DEEPEST = 64
const TAG_WRAPPER = 16

function schemaOf(json: string | PyDict): PyValue {
  if (typeof json !== 'string') return json
  try {
    return parsePythonJson(json)
  } catch {
    throw badRequest('Invalid JSON grammar specification.')
  }
}

function checkNesting(spec: string | PyDict | undefined, deepest: number): void {
  if (spec === undefined) return
  let level: readonly PyValue[] = [typeof spec === 'string' ? parsedOrNone(spec) : spec]
  for (let depth = 0; depth < deepest; depth++) {
    level = level.flatMap(children)
    if (level.length === 0) return
  }
  throw badRequest(`The JSON schema is nested too deeply: objects and arrays may nest at most ${DEEPEST} levels`)
}

function children(value: PyValue): readonly PyValue[] {
  const items = isDict(value) ? [...value.values()] : isList(value) ? value : []
  return items.filter((item) => isDict(item) || isList(item))
}

function parsedOrNone(text: string): PyValue {
  try {
    return parsePythonJson(text)
  } catch {
    return null
  }
}
