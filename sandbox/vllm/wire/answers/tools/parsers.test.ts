import { expect, test } from 'vitest'
import { foreignToolParser, toolParserOf, toolParserRefusal } from './parsers.ts'

const flags = (toolCallParser: string | undefined, enableAutoToolChoice = true) => ({
  toolCallParser,
  enableAutoToolChoice,
})

test('a parser that vLLM does not know ends the start, unless nobody looks for calls', () => {
  expect(toolParserRefusal(flags('zzz'))).toMatch(
    /^invalid tool call parser: zzz \(chose from \{ apertus,.*,xlam \}\)$/,
  )
  expect(toolParserRefusal(flags(undefined))).toMatch(/^invalid tool call parser: None /)
  expect(toolParserRefusal(flags('zzz', false))).toBeUndefined()
})

test('a parser that only vLLM has is told apart', () => {
  expect(foreignToolParser(flags('llama3_json'))).toBe('llama3_json')
  expect(foreignToolParser(flags('hermes'))).toBeUndefined()
  expect(foreignToolParser(flags('zzz'))).toBeUndefined()
})

test('outputs are parsed only where calls are looked for', () => {
  expect(toolParserOf(flags('hermes'))).toBeDefined()
  expect(toolParserOf(flags('hermes', false))).toBeUndefined()
})
