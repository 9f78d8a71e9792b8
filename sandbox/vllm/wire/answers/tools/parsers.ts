import type { WireFlags } from '../../serving.ts'
import { HermesToolParser } from './hermes.ts'
import type { ToolParserFactory } from './parser.ts'

const PARSERS: ReadonlyMap<string, ToolParserFactory> = new Map([['hermes', () => new HermesToolParser()]])

/** Why a server with these flags does not start: its parser is none of those known here. vLLM itself knows more. */
// follows vllm/entrypoints/launchers/launcher.py validate_api_server_args
export const toolParserRefusal = ({ enableAutoToolChoice, toolCallParser }: WireFlags): string | undefined =>
  enableAutoToolChoice && !PARSERS.has(toolCallParser ?? '')
    ? `invalid tool call parser: ${toolCallParser ?? 'None'} (chose from { ${[...PARSERS.keys()].join(',')} })`
    : undefined

/** The parser that reads outputs of chats. Undefined: none was named, or calls are not to be looked for. */
// follows vllm/parser/parser_manager.py get_tool_parser
export const toolParserOf = ({ enableAutoToolChoice, toolCallParser }: WireFlags): ToolParserFactory | undefined =>
  enableAutoToolChoice && toolCallParser !== undefined ? PARSERS.get(toolCallParser) : undefined
