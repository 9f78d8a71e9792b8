import { marks, style } from '../style.ts'
import type { UpAnswer } from './requests.ts'

/** Lines of what is done, and on a terminal one that says what is being done. All on stderr. */
export class Progress {
  private readonly live = process.stderr.isTTY === true

  readonly tell = (one: UpAnswer): void => {
    if ('progress' in one) this.now(one.progress)
    if ('done' in one) this.done(one.done, one.ms)
  }

  now(what: string): void {
    if (this.live) process.stderr.write(`\r\x1b[K   ${what} …`)
  }

  done(what: string, ms: number): void {
    this.clear()
    process.stderr.write(` ${style.green(marks.pass)} ${what}  ${style.dim(secondsText(ms))}\n`)
  }

  clear(): void {
    if (this.live) process.stderr.write('\r\x1b[K')
  }
}

/** `3.1s`. */
export const secondsText = (ms: number): string => `${(ms / 1000).toFixed(1)}s`
