import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Recording } from './compare/recording.ts'

/** How a server was started whose answers were recorded. */
export interface RecordedServer {
  readonly vllm: string
  /** Of `vllm serve`, the model first; host and port are left out. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** Answers of one server, in the order in which they were asked for. */
export interface RecordingSet {
  readonly name: string
  readonly server: RecordedServer
  readonly recordings: readonly Recording[]
}

/** A line of a file of recordings; short, for there are many. */
interface Row {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly base64?: string
  readonly status: number
  /** `name: value`; of the date only the name. */
  readonly head: readonly string[]
  readonly answer?: string
  readonly sha256?: string
  /** Ranges of the set's `lines`: first and last. */
  readonly outline?: readonly (readonly [number, number])[]
}

/** Where `/models/…` in recordings is, on this machine. */
export type Places = (text: string) => string

const OWN = join(import.meta.dirname, '../../fixtures/vllm/recordings')

/** The repository’s own recordings of a version. `places` turns the paths of models in requests and answers into real ones. */
export function ownRecordings(version: string, places: Places): RecordingSet[] {
  const folder = join(OWN, version)
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .sort()
    .map((file) => readSet(file.replace('.jsonl', ''), readFileSync(join(folder, file), 'utf8'), places))
}

export function readSet(name: string, text: string, places: Places): RecordingSet {
  const [first, ...rows] = places(text).trimEnd().split('\n')
  const { server, lines } = JSON.parse(first!) as { server: RecordedServer; lines: readonly string[] }
  return { name, server, recordings: rows.map((row) => recordingOf(JSON.parse(row) as Row, lines)) }
}

function recordingOf(row: Row, lines: readonly string[]): Recording {
  const body = row.base64 === undefined ? row.body : Buffer.from(row.base64, 'base64')
  return {
    name: row.name,
    request: { method: row.method, path: row.path, headers: row.headers ?? {}, ...(body !== undefined && { body }) },
    answer: {
      status: row.status,
      headers: row.head.map((line) => {
        const [name, ...value] = line.split(': ')
        return [name!, line === 'date' ? 'Thu, 01 Jan 1970 00:00:00 GMT' : value.join(': ')]
      }),
      ...(row.answer !== undefined && { body: row.answer }),
      ...(row.sha256 !== undefined && { sha256: row.sha256 }),
      ...(row.outline && { outline: row.outline.flatMap(([from, to]) => lines.slice(from, to + 1)) }),
    },
  }
}

/** The text of a file of recordings. Bodies must have been shortened already where they are to be. */
export function writtenSet({ server, recordings }: Omit<RecordingSet, 'name'>): string {
  const places = new Map<string, number>()
  const rows = recordings.map(({ name, request, answer }): Row => {
    const { body } = request
    return {
      name,
      method: request.method,
      path: request.path,
      ...(Object.keys(request.headers).length > 0 && { headers: request.headers }),
      ...(typeof body === 'string' && { body }),
      ...(body instanceof Uint8Array && { base64: Buffer.from(body).toString('base64') }),
      status: answer.status,
      head: answer.headers.map(([key, value]) => (key === 'date' ? key : `${key}: ${value}`)),
      ...(answer.body !== undefined && { answer: answer.body }),
      ...(answer.sha256 !== undefined && { sha256: answer.sha256 }),
      ...(answer.outline && { outline: ranges(answer.outline, places) }),
    }
  })
  return `${[{ server, lines: [...places.keys()] }, ...rows].map((row) => JSON.stringify(row)).join('\n')}\n`
}

function ranges(outline: readonly string[], places: Map<string, number>): [number, number][] {
  const found: [number, number][] = []
  for (const line of outline) {
    if (!places.has(line)) places.set(line, places.size)
    const at = places.get(line)!
    const last = found.at(-1)
    if (last && last[1] + 1 === at) last[1] = at
    else found.push([at, at])
  }
  return found
}

/** An entry of an index of answers kept as files beside it. */
interface IndexEntry {
  readonly name: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly body: string | null
    readonly headers: Readonly<Record<string, string>>
  }
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly file: string
}

/** Recordings that an index lists, their bodies in files beside it. */
export function indexedRecordings(index: string): Recording[] {
  const entries = JSON.parse(readFileSync(index, 'utf8')) as readonly IndexEntry[]
  return entries.map(({ name, request, status, headers, file }) => ({
    name,
    request: {
      method: request.method,
      path: request.path,
      headers: request.headers,
      ...(request.body !== null && { body: request.body }),
    },
    answer: { status, headers, body: readFileSync(join(dirname(index), file), 'utf8') },
  }))
}
