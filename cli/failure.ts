import { K6Error, type K6ErrorCode } from '../harness/load/k6/errors.ts'
import { PlatformError, PlatformErrors } from '../harness/platform/errors.ts'
import { unobeyed } from '../harness/platform/printable.ts'
import { RunError } from '../harness/runs/store.ts'
import { ControlPlaneError } from '../sandbox/tiers/control-plane/binaries.ts'
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

/** What went wrong and what to do, and the exit code; a stack trace only for what no user can mend. */
export function failureOf(error: unknown): { readonly text: string; readonly exitCode: number } {
  if (error instanceof PlatformErrors) return { text: error.message, exitCode: exitCodes.usage }
  if (error instanceof PlatformError) return { text: error.format(), exitCode: exitCodes.usage }
  if (error instanceof RunError)
    return { text: `${shown(error.message)} [${error.code}]\n    ${shown(error.fix)}`, exitCode: exitCodes.usage }
  if (error instanceof UsageError)
    return { text: `${shown(error.message)} [${error.code}]\n    ${shown(error.fix)}`, exitCode: error.exitCode }
  if (error instanceof K6Error)
    return {
      text: `${unobeyed(error.message)} [${error.code}]\n    ${unobeyed(error.fix)}`,
      exitCode: K6_EXIT_CODES[error.code],
    }
  if (error instanceof ControlPlaneError)
    return { text: `${unobeyed(error.message)} [${error.code}]`, exitCode: exitCodes.unavailable }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    text: `seatrial failed: a fault of its own, not of your manifests. Please report it with the command you ran.\n${unobeyed(text)}`,
    exitCode: exitCodes.undecided,
  }
}

const K6_EXIT_CODES: Readonly<Record<K6ErrorCode, number>> = {
  K6_MISSING: exitCodes.unavailable,
  K6_WITHOUT_SSE: exitCodes.unavailable,
  K6_BUILD: exitCodes.unavailable,
  K6_SCRIPT: exitCodes.usage,
  K6_FAILED: exitCodes.undecided,
}

/** Says it on stderr. Returns the exit code. */
export function report(error: unknown): number {
  const { text, exitCode } = failureOf(error)
  process.stderr.write(`${text}\n`)
  return exitCode
}
