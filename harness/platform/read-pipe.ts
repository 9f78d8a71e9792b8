import { closeSync, constants, openSync, readSync } from 'node:fs'

const WAIT_MS = 20
/** How long is waited for somebody to write, and then for those who are there to go on. */
const WRITER_WAITS_MAX = 3000 / WAIT_MS
const SILENCE_WAITS_MAX = 60_000 / WAIT_MS

/**
 * What is written to a named pipe, or by a process substitution. Throws as the file system does; with code `ETIMEDOUT` when a writer says
 * nothing for a minute. Undefined: more than `bytesMax`. A pipe that nobody writes to is empty.
 */
export function readPipe(path: string, bytesMax: number): Buffer | undefined {
  const handle = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const chunks: Buffer[] = []
    let size = 0
    let waits = 0
    for (;;) {
      const chunk = Buffer.allocUnsafe(1 << 16)
      const read = readSome(handle, chunk)
      if (read > 0) {
        chunks.push(chunk.subarray(0, read))
        size += read
        waits = 0
        if (size > bytesMax) return undefined
        continue
      }
      if (read === 0 && (size > 0 || waits >= WRITER_WAITS_MAX)) return Buffer.concat(chunks)
      if (waits++ >= SILENCE_WAITS_MAX) throw Object.assign(new Error('nothing was written'), { code: 'ETIMEDOUT' })
      Atomics.wait(SLEEP, 0, 0, WAIT_MS)
    }
  } finally {
    closeSync(handle)
  }
}

const SLEEP = new Int32Array(new SharedArrayBuffer(4))

/** 0 at the end, or before anyone writes; -1 where a writer is there and has nothing yet. */
function readSome(handle: number, into: Buffer): number {
  try {
    return readSync(handle, into)
  } catch (error) {
    if ((error as { code?: string }).code === 'EAGAIN') return -1
    throw error
  }
}
