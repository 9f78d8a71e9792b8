import type { SendTarget } from './sender.ts'

/** What every request says of itself. */
export function headersOf({ headers }: SendTarget): Record<string, string> {
  return {
    'user-agent': 'seatrial',
    accept: 'text/event-stream, application/json',
    'accept-encoding': 'identity',
    'content-type': 'application/json',
    ...headers,
  }
}

/** The head of a request in HTTP/1.1 up to the length of its body. */
export function headOf(target: SendTarget, keepAlive: boolean): string {
  const { url } = target
  const lines = Object.entries(headersOf(target)).map(([name, value]) => `${name}: ${value}\r\n`)
  const close = keepAlive ? '' : 'connection: close\r\n'
  return `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n${lines.join('')}${close}content-length: `
}
