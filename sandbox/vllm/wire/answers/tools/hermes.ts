import { dumpsUnicode } from '../../python/dumps.ts'
import { parsePythonJson } from '../../python/json-scanner.ts'
import { isDict, type PyValue } from '../../python/value.ts'
import type { OutputDelta, ToolCall, ToolDelta, ToolParser } from './parser.ts'

const START = '<tool_call>'
const END = '</tool_call>'

/** Calls as `<tool_call>{"name": …, "arguments": …}</tool_call>`. */
// follows vllm/tool_parsers/hermes_tool_parser.py
export class HermesToolParser implements ToolParser {
  private text = ''
  private contentSent = 0
  private readonly calls: { name: string | undefined; sent: string }[] = []

  whole(output: string): { readonly calls: readonly ToolCall[]; readonly content: string | undefined } | undefined {
    if (!output.includes(START)) return undefined
    const calls: ToolCall[] = []
    for (const [, closed, open] of output.matchAll(/<tool_call>(.*?)<\/tool_call>|<tool_call>(.*)/gs)) {
      const call = callOf(closed || open || '')
      if (!call) return undefined
      calls.push(call)
    }
    return { calls, content: output.slice(0, output.indexOf(START)) || undefined }
  }

  add(text: string): OutputDelta | undefined {
    this.text += text
    const content = this.newContent()
    const calls: ToolDelta[] = []
    for (const [index, { json, complete }] of this.regions().entries()) {
      this.calls[index] ??= { name: undefined, sent: '' }
      if (!this.tellName(index, json, calls)) break
      this.tellArguments(index, json, complete, calls)
    }
    return content !== undefined || calls.length > 0 ? { content, calls } : undefined
  }

  /** Text before any call, less what may yet become a tag. */
  private newContent(): string | undefined {
    const start = this.text.indexOf(START)
    const sendable = start === -1 ? this.text.length - overlap(this.text, START) : start
    if (sendable <= this.contentSent) return undefined
    const content = this.text.slice(this.contentSent, sendable)
    this.contentSent = sendable
    return content
  }

  private regions(): { readonly json: string; readonly complete: boolean }[] {
    const regions: { json: string; complete: boolean }[] = []
    let at = this.text.indexOf(START)
    while (at !== -1) {
      const from = at + START.length
      const to = this.text.indexOf(END, from)
      if (to === -1) {
        const raw = this.text.slice(from)
        const json = raw.slice(0, raw.length - overlap(raw, END)).trim()
        return [...regions, { json, complete: json !== '' && loaded(json) !== undefined }]
      }
      regions.push({ json: this.text.slice(from, to).trim(), complete: true })
      at = this.text.indexOf(START, to + END.length)
    }
    return regions
  }

  private tellName(index: number, json: string, calls: ToolDelta[]): boolean {
    const call = this.calls[index]!
    if (call.name !== undefined) return true
    const name = /"name"\s*:\s*"([^"]+)"/.exec(json)?.[1]
    if (name === undefined) return false
    call.name = name
    calls.push({ index, name })
    return true
  }

  private tellArguments(index: number, json: string, complete: boolean, calls: ToolDelta[]): void {
    const call = this.calls[index]!
    const found = /"arguments"\s*:\s*/.exec(json)
    if (!found) return
    let raw = json.slice(found.index + found[0].length)
    if (complete) {
      raw = raw.trimEnd()
      if (raw.endsWith('}')) raw = raw.slice(0, -1).trimEnd()
    }
    if (raw.length <= call.sent.length) return
    calls.push({ index, arguments: raw.slice(call.sent.length) })
    call.sent = raw
  }
}

function callOf(text: string): ToolCall | undefined {
  const value = loaded(text)
  if (value === undefined || !isDict(value)) return undefined
  const name = value.get('name')
  const given = value.get('arguments')
  return typeof name === 'string' && given !== undefined ? { name, arguments: dumpsUnicode(given) } : undefined
}

function loaded(text: string): PyValue | undefined {
  try {
    return parsePythonJson(text)
  } catch {
    return undefined
  }
}

/** Length of the longest beginning of `tag` with which `text` ends. */
function overlap(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length--)
    if (text.endsWith(tag.slice(0, length))) return length
  return 0
}
