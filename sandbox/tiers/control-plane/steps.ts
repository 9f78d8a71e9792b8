/** Says what is being made: one line that changes on a terminal, a line at the begin and at the end of each elsewhere. */
export class Steps {
  private readonly out: NodeJS.WriteStream
  private readonly live: boolean
  private readonly begun = performance.now()
  private told = 0

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.out = out
    this.live = out.isTTY === true && process.env['TERM'] !== 'dumb'
  }

  /** For this step alone. */
  get seconds(): number {
    return (performance.now() - this.begun) / 1000
  }

  begin(text: string): void {
    if (this.live) this.now(text)
    else this.line(text)
  }

  /** Shown on a terminal only. */
  now(text: string): void {
    if (this.live) this.out.write(`\r\x1b[K${text}`)
  }

  /** Bytes of a download: all on a terminal, each quarter elsewhere. */
  bytes(what: string, bytes: number, total: number | undefined): void {
    const share = total ? bytes / total : 0
    const text = `${what}  ${megabytes(bytes)}${total ? ` of ${megabytes(total)} MB, ${Math.floor(100 * share)} %` : ' MB'}`
    if (this.live) this.now(text)
    else if (Math.floor(4 * share) > this.told && share < 1) {
      this.told = Math.floor(4 * share)
      this.line(text)
    }
  }

  end(text: string): void {
    if (this.live) this.out.write('\r\x1b[K')
    this.line(`${text}  ${this.seconds.toFixed(1)}s`)
  }

  /** Something that people should know, on a line of its own. */
  line(text: string): void {
    if (this.live) this.out.write('\r\x1b[K')
    this.out.write(`${text}\n`)
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)
