import type { ToolCallMetrics, ToolRequestType } from '../../../server/late-metrics.ts'
import type { ToolParserFactory } from './parser.ts'

/** The same parsers, with each look at an output counted. */
// follows extract_tool_calls and extract_tool_calls_streaming of vllm/parser/abstract_parser.py
export function counted(
  make: ToolParserFactory,
  metrics: ToolCallMetrics | undefined,
  requestType: ToolRequestType,
): ToolParserFactory {
  if (!metrics) return make
  return () => {
    const parser = make()
    return {
      whole: (output) => {
        const found = parser.whole(output)
        metrics.count({ toolCalled: (found?.calls.length ?? 0) > 0, streaming: false, requestType })
        return found
      },
      add: (text) => {
        const found = parser.add(text)
        metrics.count({ toolCalled: (found?.calls.length ?? 0) > 0, streaming: true, requestType })
        return found
      },
    }
  }
}
