/**
 * Reads Server-Sent Events as they come in pieces, and tells the data of each. Comments and other fields are passed over. Text is what the
 * bytes are, one character each: nothing here looks beyond ASCII.
 */
export class SseReader {
  private readonly told: (data: string) => void
  private rest = ''

  constructor(told: (data: string) => void) {
    this.told = told
  }

  push(text: string): void {
    // mostly a piece is one event of one line
    if (this.rest === '' && isOneEvent(text)) {
      this.told(text.slice(6, -2))
      return
    }
    this.rest += text
    // a carriage return at the end may have its newline still to come
    const whole = this.rest.endsWith('\r') ? this.rest.length - 1 : this.rest.length
    const ready = this.rest.slice(0, whole)
    const lines = ready.includes('\r') ? ready.replaceAll(/\r\n?/g, '\n') : ready
    const tail = this.rest.slice(whole)
    let begin = 0
    for (let end = lines.indexOf('\n\n'); end >= 0; end = lines.indexOf('\n\n', begin)) {
      this.event(lines.slice(begin, end))
      begin = end + 2
    }
    this.rest = lines.slice(begin) + tail
  }

  private event(block: string): void {
    const data = block
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(line.startsWith('data: ') ? 6 : 5))
    if (data.length > 0) this.told(data.join('\n'))
  }
}

const isOneEvent = (text: string): boolean =>
  text.startsWith('data: ') && text.indexOf('\n') === text.length - 2 && text.endsWith('\n\n')
