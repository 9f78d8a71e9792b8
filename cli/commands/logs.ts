import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { suggest } from '../../harness/platform/suggest.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'
import { chosenSandbox } from '../sandboxes/choose.ts'
import { removeLeftovers } from '../sandboxes/leftovers.ts'
import { folderOf, readState, type SandboxState, sandboxNames } from '../sandboxes/state.ts'
import { style } from '../style.ts'

/** The background process: it holds the nodes and what runs on them. */
const OWN = 'seatrial'
const CHUNK_BYTES = 64 * 1024
const LOOK_EVERY_MS = 200

/** Prints what a program of a sandbox wrote: the background process where none is named. */
export async function logs(words: readonly string[], { follow }: { follow?: boolean }): Promise<number> {
  removeLeftovers()
  const pod = words.find((word) => /^pods?\//.test(word))
  const { sandbox, program } = whichLog(words.filter((word) => word !== pod))
  if (pod !== undefined) throw podLogs(sandbox.name, pod)
  const files = logFiles(sandbox)
  const file = files.get(program)
  if (!file) throw unknownProgram(program, [...files.keys()])
  if (program === OWN)
    process.stderr.write(
      style.dim(`${OWN} of sandbox ${sandbox.name}; there are also ${[...files.keys()].slice(1).join(', ')}\n`),
    )
  let at = print(file, 0)
  while (follow && readState(sandbox.name) && existsSync(file)) {
    await wait(LOOK_EVERY_MS)
    at = print(file, at)
  }
  return exitCodes.pass
}

/** `logs`, `logs NAME`, `logs PROGRAM`, `logs NAME PROGRAM`. */
function whichLog(words: readonly string[]): { sandbox: SandboxState; program: string } {
  const [first, second] = words
  if (first === undefined || second !== undefined) return { sandbox: chosenSandbox(first), program: second ?? OWN }
  if (sandboxNames().includes(first)) return { sandbox: chosenSandbox(first), program: OWN }
  return { sandbox: chosenSandbox(undefined), program: first }
}

/** By program, ours first. */
function logFiles({ name, folder }: SandboxState): Map<string, string> {
  const files = new Map([[OWN, join(folderOf(name), 'seatrial.log')]])
  if (folder && existsSync(folder))
    for (const entry of readdirSync(folder).sort())
      if (entry.endsWith('.log')) files.set(entry.slice(0, -'.log'.length), join(folder, entry))
  return files
}

function podLogs(name: string, pod: string): UsageError {
  return new UsageError(
    'ASK_KUBECTL',
    `what a pod writes is asked of the API server: «kubectl logs ${pod.replace(/^pods?\//, '')}»`,
    `In a shell that is connected: «seatrial shell ${name}».`,
  )
}

function unknownProgram(program: string, known: readonly string[]): UsageError {
  const near = suggest(program, known)
  return new UsageError(
    'NO_LOG',
    `no program of the sandbox is called «${program}»`,
    near ? `Did you mean ${near}?` : `There are: ${known.join(', ')}. A pod: «seatrial logs pod/NAME».`,
  )
}

/** Prints a file from an offset to its end. Returns the end. */
function print(file: string, from: number): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? from
  const opened = size > from ? openSync(file, 'r') : undefined
  if (opened === undefined) return from
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let at = from
  while (at < size) {
    const read = readSync(opened, chunk, 0, Math.min(CHUNK_BYTES, size - at), at)
    if (read === 0) break
    process.stdout.write(Buffer.from(chunk.subarray(0, read)))
    at += read
  }
  closeSync(opened)
  return at
}
