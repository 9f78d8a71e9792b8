import { parseCommandLine } from '../../flags/parse.ts'
import type { RunnableServer } from '../../server/resolve.ts'
import { foreignToolParser, toolParserRefusal } from '../answers/tools/parsers.ts'
import { ServeError } from './serve-error.ts'

/** What vLLM has against the parser of tool calls. Throws a ServeError for one that it has and the mock has not. */
export function parserProblem({ command, version }: RunnableServer): string | undefined {
  const parsed = parseCommandLine(command.args, command.form, version)
  const given = parsed.ok ? parsed.given : new Map<string, unknown>()
  const named = given.get('tool_call_parser')
  const flags = {
    enableAutoToolChoice: given.get('enable_auto_tool_choice') === true,
    toolCallParser: typeof named === 'string' ? named : undefined,
  }
  const foreign = foreignToolParser(flags)
  if (foreign !== undefined)
    throw new ServeError(
      'NOT_SERVED',
      `the mock has no tool call parser ${foreign}`,
      'Take --tool-call-parser hermes, or leave --enable-auto-tool-choice out.',
    )
  return toolParserRefusal(flags)
}
