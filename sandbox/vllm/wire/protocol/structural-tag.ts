import { badRequest } from '../errors.ts'
import { Invalid, State } from '../pydantic/outcome.ts'
import { parsePythonJson } from '../python/json-scanner.ts'
import { isDict, isList, type PyDict, type PyValue } from '../python/value.ts'
import { structuralTagFormat } from './response-format.ts'

/** Refuses a response format of type `structural_tag` that no grammar can be made of. */
// follows validate_structural_tag_response_format of vllm/entrypoints/generate/base/protocol.py
export function checkStructuralTagFormat(format: PyDict): void {
  const checked = structuralTagFormat.check(format, new State())
  if (checked instanceof Invalid || !isTag(format)) throw invalidTag('response_format')
}

/** Refuses a structural tag, given as JSON text, that no grammar can be made of. */
export function checkStructuralTag(tag: PyValue, parameter: string): void {
  if (typeof tag !== 'string' || !isTag(parsed(tag))) throw invalidTag(parameter)
}

const invalidTag = (parameter: string) => badRequest(`Invalid ${parameter} structural_tag specification.`, parameter)

function parsed(text: string): PyValue {
  try {
    return parsePythonJson(text)
  } catch {
    return null
  }
}

/** Formats xgrammar knows, and the keys each needs. */
// follows xgrammar 0.2, cpp/structural_tag.cc
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  const_string: ['value'],
  json_schema: ['json_schema'],
  qwen_xml_parameter: ['json_schema'],
  grammar: ['grammar'],
  regex: ['pattern'],
  any_text: [],
  sequence: ['elements'],
  or: ['elements'],
  tag: ['begin', 'content', 'end'],
  triggered_tags: ['triggers', 'tags'],
  tags_with_separator: ['tags', 'separator'],
}

function isTag(tag: PyValue): boolean {
  if (!isDict(tag) || tag.get('type') !== 'structural_tag') return false
  if (tag.has('structures')) return isLegacyTag(tag)
  const format = tag.get('format')
  return format !== undefined && isFormat(format)
}

/** Every structure needs a trigger it begins with. */
function isLegacyTag(tag: PyDict): boolean {
  const structures = tag.get('structures')
  const triggers = tag.get('triggers')
  if (!isList(structures) || !isList(triggers) || structures.length === 0 || triggers.length === 0) return false
  return structures.every((structure) => {
    const begin = isDict(structure) ? structure.get('begin') : undefined
    return typeof begin === 'string' && triggers.some((word) => typeof word === 'string' && begin.startsWith(word))
  })
}

function isFormat(format: PyValue): boolean {
  if (!isDict(format)) return false
  const type = format.get('type')
  const needs = typeof type === 'string' ? NEEDS[type] : undefined
  if (needs === undefined || !needs.every((key) => format.has(key))) return false
  const inner = [format.get('content'), ...parts(format, 'elements'), ...parts(format, 'tags')]
  return inner.every((part) => part === undefined || isFormat(part))
}

const parts = (format: PyDict, key: string): readonly PyValue[] => {
  const value = format.get(key)
  return isList(value) ? value : value === undefined ? [] : [value]
}
