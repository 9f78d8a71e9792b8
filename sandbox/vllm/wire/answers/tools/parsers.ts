import type { WireFlags } from '../../serving.ts'
import { HermesToolParser } from './hermes.ts'
import type { ToolParserFactory } from './parser.ts'

const PARSERS: ReadonlyMap<string, ToolParserFactory> = new Map([['hermes', () => new HermesToolParser()]])

/** All names vLLM 0.32 takes, in the order in which it lists them. */
// follows vllm/tool_parsers/__init__.py
const OF_VLLM = [
  ...['apertus', 'cohere_command3', 'cohere_command4', 'deepseek_v3', 'deepseek_v31', 'deepseek_v32', 'deepseek_v4'],
  ...['deepseek_v41', 'dots', 'ernie45', 'functiongemma', 'gemma4', 'gigachat3', 'glm45', 'glm47', 'granite'],
  ...['granite-20b-fc', 'granite4', 'hermes', 'hf', 'hunyuan_a13b', 'hy_v3', 'hy_v4', 'inkling', 'internlm', 'jamba'],
  ...['k2_horizon', 'kimi_k2', 'kimi_k3', 'lfm2', 'ling3', 'llama3_json', 'llama4_json', 'llama4_pythonic', 'longcat'],
  ...['mimo', 'minicpm5', 'minimax_m2', 'minimax_m3', 'mistral', 'muse_glimmer', 'olmo3', 'openai', 'phi4_mini_json'],
  ...['plamo3', 'poolside_v1', 'pythonic', 'qwen3_coder', 'qwen3_json', 'qwen3_xml', 'seed_oss', 'step3', 'step3p5'],
  'xlam',
]

type ParserFlags = Pick<WireFlags, 'enableAutoToolChoice' | 'toolCallParser'>

/** Why vLLM does not start with these flags: it knows no such parser. */
// follows vllm/entrypoints/launchers/launcher.py validate_api_server_args
export const toolParserRefusal = ({ enableAutoToolChoice, toolCallParser }: ParserFlags): string | undefined =>
  enableAutoToolChoice && !OF_VLLM.includes(toolCallParser ?? '')
    ? `invalid tool call parser: ${toolCallParser ?? 'None'} (chose from { ${OF_VLLM.join(',')} })`
    : undefined

/** A parser of vLLM's that is not built here. */
export const foreignToolParser = ({ enableAutoToolChoice, toolCallParser = '' }: ParserFlags): string | undefined =>
  enableAutoToolChoice && OF_VLLM.includes(toolCallParser) && !PARSERS.has(toolCallParser) ? toolCallParser : undefined

/** The parser that reads outputs of chats. Undefined: none was named, or calls are not to be looked for. */
// follows vllm/parser/parser_manager.py get_tool_parser
export const toolParserOf = ({ enableAutoToolChoice, toolCallParser }: ParserFlags): ToolParserFactory | undefined =>
  enableAutoToolChoice && toolCallParser !== undefined ? PARSERS.get(toolCallParser) : undefined
