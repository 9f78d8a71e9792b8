/** A command line that no server can be made of: what is wrong and what to do. */
export class ServeError extends Error {
  readonly code: string
  readonly fix: string

  constructor(code: string, message: string, fix: string) {
    super(message)
    this.code = code
    this.fix = fix
  }
}
