/** An event of a stream (SSE). */
export interface StreamEvent {
  readonly event: string | undefined
  readonly data: string
}

/** The events of a stream, and what stands between them that is none. */
export function readEvents(body: string): { readonly events: readonly StreamEvent[]; readonly odd: readonly string[] } {
  const events: StreamEvent[] = []
  const odd: string[] = []
  const blocks = body.split('\n\n')
  const rest = blocks.pop()
  if (rest !== '') odd.push(`the last event has no end: ${JSON.stringify(rest)}`)
  for (const block of blocks) {
    const match = /^(?:event: (.*)\n)?data: (.*)$/.exec(block)
    if (match) events.push({ event: match[1], data: match[2]! })
    else odd.push(JSON.stringify(block))
  }
  return { events, odd }
}
