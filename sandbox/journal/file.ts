import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { Journal, JournalHeader } from './journal.ts'
import type { JournalRecord } from './record.ts'

/** A journal as read: complete, or up to where it is torn. */
export interface ReadJournal {
  readonly header: JournalHeader
  readonly records: readonly JournalRecord[]
  /** The hash at the end of a journal that was finished. */
  readonly hash: string | undefined
  /** Where the text stopped being a journal: a run that was killed, a full disk. */
  readonly torn: { readonly line: number; readonly why: string } | undefined
}

/** A file that is no journal at all, or one this version cannot read. */
export class JournalError extends Error {
  readonly code = 'journal'
  constructor(message: string) {
    super(message)
    this.name = 'JournalError'
  }
}

const SCHEMA_VERSION = 1

/** Writes header, records and the closing hash, a line each. Returns the hash. */
export function writeJournal(path: string, journal: Journal, header: JournalHeader): string {
  const { text, hash } = journal.sealed(header)
  writeFileSync(path, text)
  return hash
}

/**
 * Reads a journal's lines. A line that is cut off or not a record ends the reading: what stands before it counts.
 * Throws a JournalError when not even the header can be read.
 */
export function readJournal(text: string): ReadJournal {
  const lines = text.split('\n')
  const unfinished = lines.pop() !== ''
  const header = headerOf(lines[0])
  const records: JournalRecord[] = []
  let hash: string | undefined
  let torn: ReadJournal['torn']
  for (let i = 1; i < lines.length && !torn && hash === undefined; i++) {
    const line = parse(lines[i]!)
    if (isSeal(line)) {
      hash = line.hash
      if (hash !== hashOf(lines.slice(0, i))) torn = { line: i + 1, why: 'the hash is not that of the lines before it' }
    } else if (isRecord(line)) records.push(line)
    else torn = { line: i + 1, why: 'not a record' }
  }
  if (!torn && hash === undefined)
    torn = { line: lines.length + (unfinished ? 1 : 0), why: unfinished ? 'the line is cut off' : 'the end is missing' }
  return { header, records, hash, torn }
}

function hashOf(lines: readonly string[]): string {
  return createHash('sha256')
    .update(`${lines.join('\n')}\n`)
    .digest('hex')
}

function headerOf(line: string | undefined): JournalHeader {
  const header = parse(line ?? '') as Partial<JournalHeader> | undefined
  if (typeof header !== 'object' || header === null || typeof header.schemaVersion !== 'number')
    throw new JournalError('not a journal: its first line is no header. Give the .jsonl file of a run.')
  if (header.schemaVersion !== SCHEMA_VERSION)
    throw new JournalError(
      `the journal has schema version ${header.schemaVersion}, this version of Seatrial reads ${SCHEMA_VERSION}. Use the Seatrial that wrote it (${header.seatrial}).`,
    )
  return header as JournalHeader
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

const isSeal = (line: unknown): line is { type: 'end'; hash: string } =>
  (line as { type?: unknown } | undefined)?.type === 'end'

const isRecord = (line: unknown): line is JournalRecord => {
  const { type, at } = (line ?? {}) as { type?: unknown; at?: unknown }
  return typeof type === 'string' && typeof at === 'number'
}
