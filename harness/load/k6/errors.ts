export type K6ErrorCode = 'K6_MISSING' | 'K6_WITHOUT_SSE' | 'K6_BUILD' | 'K6_SCRIPT' | 'K6_FAILED'

/** A k6 that cannot be had, or a run of it that says nothing about the server. */
export class K6Error extends Error {
  override readonly name = 'K6Error'
  readonly code: K6ErrorCode
  readonly fix: string

  constructor(code: K6ErrorCode, message: string, fix: string) {
    super(message)
    this.code = code
    this.fix = fix
  }
}
