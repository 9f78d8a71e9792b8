/** Thrown by a reconcile that cannot finish now: its key comes back with a delay, as after an error of the API server. */
export class RetryError extends Error {
  /** Happens in the normal course: not worth a note in the journal. */
  readonly quiet: boolean

  constructor(message: string, options: { quiet?: boolean } = {}) {
    super(message)
    this.name = 'RetryError'
    this.quiet = options.quiet ?? false
  }
}
