import { PlatformError, PlatformErrors } from '../harness/platform/errors.ts'
import { unobeyed } from '../harness/platform/printable.ts'
import { RunError } from '../harness/runs/store.ts'
import { exitCodes } from './exit-codes.ts'
import { shown } from './reporters/shown.ts'

/** Something the user can mend by calling differently. Exit code 2, or another where that says more. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code: string
  readonly fix: string
  readonly exitCode: number

  constructor(code: string, what: string, fix: string, exitCode: number = exitCodes.usage) {
    super(what)
    this.code = code
    this.fix = fix
    this.exitCode = exitCode
  }
}

/** Says on stderr what went wrong and what to do; no stack trace for what a user can mend. Returns the exit code. */
export function report(error: unknown): number {
  if (error instanceof PlatformErrors) {
    process.stderr.write(`${error.message}\n`)
    return exitCodes.usage
  }
  if (error instanceof PlatformError) {
    process.stderr.write(`${error.format()}\n`)
    return exitCodes.usage
  }
  if (error instanceof RunError) {
    process.stderr.write(`${shown(error.message)} [${error.code}]\n    ${shown(error.fix)}\n`)
    return exitCodes.usage
  }
  if (error instanceof UsageError) {
    process.stderr.write(`${shown(error.message)} [${error.code}]\n    ${shown(error.fix)}\n`)
    return error.exitCode
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(
    `seatrial failed: a fault of its own, not of your manifests. Please report it with the command you ran.\n${unobeyed(text)}\n`,
  )
  return exitCodes.undecided
}
