import { createHash } from 'node:crypto'
import type { Clock } from '../world/clock.ts'
import { Lines } from './lines.ts'
import { canonical, type JournalRecord, type Unstamped } from './record.ts'

/** What a trial was made from. Part of the hash, but for nothing that names the machine or the hour. */
export interface JournalHeader {
  schemaVersion: 1
  seatrial: string
  seed: number
  scenario: string
  tier: string
  inputs: unknown
}

/** The append-only record of one trial. Readers subscribe or read `records`. */
export class Journal {
  readonly records: JournalRecord[] = []
  private readonly clock: Clock
  private readonly readers: ((record: JournalRecord) => void)[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** The record is the journal's from now on. */
  append(record: Unstamped): void {
    const stamped = record as JournalRecord
    stamped.at = this.clock.now
    this.records.push(stamped)
    for (const read of this.readers) read(stamped)
  }

  /** Calls `read` with every record from now on. */
  subscribe(read: (record: JournalRecord) => void): void {
    this.readers.push(read)
  }

  /** The journal's lines: the header, then one record a line, as canonical JSON. */
  *lines(header: JournalHeader): Generator<string> {
    yield canonical(header)
    for (const record of this.records) yield canonical(record)
  }

  /** SHA-256 over the lines: equal for equal inputs and seed, on any machine. */
  hash(header: JournalHeader): string {
    const hash = createHash('sha256')
    for (const block of this.blocks(header)) hash.update(block)
    return hash.digest('hex')
  }

  /** The whole journal as a file holds it, closed by its hash. */
  sealed(header: JournalHeader): { text: string; hash: string } {
    const blocks: Buffer[] = []
    const hash = createHash('sha256')
    for (const block of this.blocks(header)) {
      hash.update(block)
      blocks.push(Buffer.from(block))
    }
    const digest = hash.digest('hex')
    return { text: `${Buffer.concat(blocks).toString('utf8')}${seal(digest)}\n`, hash: digest }
  }

  /** The same with their ends, many at once. A block is overwritten by the next. */
  private *blocks(header: JournalHeader): Generator<Buffer> {
    const lines = new Lines()
    lines.add(header)
    for (const record of this.records) {
      lines.add(record)
      if (lines.isFull) yield lines.take()
    }
    yield lines.take()
  }
}

/** The last line of a finished journal. */
export const seal = (hash: string): string => canonical({ type: 'end', hash })
