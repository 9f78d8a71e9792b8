import { printable } from './printable.ts'

/** Stable names of what can be wrong with what a user brings. */
export type PlatformErrorCode =
  | 'UNREADABLE'
  | 'TOO_LARGE'
  | 'TOO_DEEP'
  | 'TOO_MANY_DOCUMENTS'
  | 'TOO_MANY_ALIASES'
  | 'NOT_TEXT'
  | 'YAML_SYNTAX'
  | 'TAB_INDENT'
  | 'DUPLICATE_KEY'
  | 'BAD_KEY'
  | 'BAD_TAG'
  | 'TEMPLATE_LEFT'
  | 'CHART_NOT_RENDERED'
  | 'KUSTOMIZATION_NOT_RENDERED'
  | 'NO_OBJECTS'
  | 'NO_MATCH'
  | 'RENDER_FAILED'
  | 'RENDER_TIMEOUT'
  | 'RENDER_REFUSED'
  | 'RENDERER_MISSING'
  | 'NOT_AN_OBJECT'
  | 'MISSING_KIND'
  | 'MISSING_NAME'
  | 'BAD_NAME'
  | 'DUPLICATE_OBJECT'
  | 'UNSERVED_VERSION'
  | 'UNKNOWN_FIELD'
  | 'WRONG_TYPE'
  | 'BAD_VALUE'
  | 'MISSING_FIELD'
  | 'REJECTED'
  | 'BAD_CONFIG'
  | 'BAD_TRACE'
  | 'BAD_PATCH'

/** A place in a file; lines and columns count from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Something the user brought cannot be used: what (`message`), why, what to do, and where. Exit code 2 of the command line. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError'
  readonly exitCode = 2
  readonly code: PlatformErrorCode
  readonly why: string
  readonly fix: string
  readonly file: string | undefined
  readonly line: number | undefined
  readonly column: number | undefined

  constructor(code: PlatformErrorCode, what: string, options: { why: string; fix: string; at?: Partial<Position> }) {
    super(printable(what).replaceAll('\n', '\\n'))
    this.code = code
    this.why = printable(options.why)
    this.fix = printable(options.fix)
    this.file = options.at?.file
    this.line = options.at?.line
    this.column = options.at?.column
  }

  /** `deploy/vllm.yaml:23:9  unknown field "spec.foo" [UNKNOWN_FIELD]`, then why and what to do on lines of their own. */
  format(): string {
    const at = formatPosition(this)
    return `${at ? `${at}  ` : ''}${this.message} [${this.code}]\n    ${this.why}\n    ${this.fix}`
  }
}

/** Everything found wrong in one go, in the order of files and lines. */
export class PlatformErrors extends Error {
  override readonly name = 'PlatformErrors'
  readonly exitCode = 2
  readonly errors: readonly PlatformError[]

  constructor(errors: readonly PlatformError[]) {
    const shown = errors.slice(0, 20).map((e) => e.format())
    if (errors.length > shown.length) shown.push(`… and ${errors.length - shown.length} more`)
    super(shown.join('\n'))
    this.errors = errors
  }
}

/** `file:line:column`, as much of it as is known. */
export const formatPosition = (at: Partial<Position>): string =>
  [at.file === undefined ? undefined : printable(at.file), at.line, at.column]
    .filter((part) => part !== undefined)
    .join(':')
