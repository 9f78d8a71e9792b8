import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { PlatformError, type Position } from '../platform/errors.ts'

const CHUNK_BYTES = 1 << 16
/** Longer lines are no trace: a Mooncake request of a million tokens has 2,000 hashes. */
const LINE_MAX = 1 << 20

/** The lines of a file from 1 on, without their ends, read piece by piece. Throws a PlatformError where it cannot be read. */
export function* readLines(file: string): Generator<{ line: number; text: string }, void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let line = 0
  for (const chunk of chunksOf(file)) {
    const parts = (rest + decoder.write(chunk)).split('\n')
    rest = parts.pop()!
    for (const text of parts) yield { line: ++line, text: text.endsWith('\r') ? text.slice(0, -1) : text }
    if (rest.length > LINE_MAX)
      throw badTrace('a line longer than a million characters', { file, line: line + 1, column: 1 })
  }
  rest += decoder.end()
  if (rest !== '') yield { line: ++line, text: rest }
}

/** SHA-256 of a file, read piece by piece. */
export function digestOf(file: string): string {
  const hash = createHash('sha256')
  for (const chunk of chunksOf(file)) hash.update(chunk)
  return hash.digest('hex')
}

export const badTrace = (what: string, at: Partial<Position>, fix?: string): PlatformError =>
  new PlatformError('BAD_TRACE', what, {
    why: 'A trace is replayed request by request; one that is skipped or guessed would be another load.',
    fix: fix ?? 'Correct the trace, or give its format under trace.format: azure-csv or mooncake-jsonl.',
    at,
  })

function* chunksOf(file: string): Generator<Buffer, void> {
  let handle: number
  try {
    // a device would have no end, and a pipe would be waited for
    if (!statSync(file).isFile()) throw badTrace(`${file} is not a file`, { file })
    handle = openSync(file, 'r')
  } catch (error) {
    if (error instanceof PlatformError) throw error
    throw unreadable(file, error)
  }
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
      const read = readSync(handle, buffer, 0, CHUNK_BYTES, null)
      if (read === 0) return
      yield buffer.subarray(0, read)
    }
  } catch (error) {
    throw error instanceof PlatformError ? error : unreadable(file, error)
  } finally {
    closeSync(handle)
  }
}

const unreadable = (file: string, error: unknown): PlatformError =>
  badTrace(
    `the trace ${file} cannot be read (${(error as { code?: string }).code ?? String(error)})`,
    { file },
    'Give the path of a file, relative to the folder of seatrial.yaml.',
  )
