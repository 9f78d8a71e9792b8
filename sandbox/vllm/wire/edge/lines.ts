import type { Header } from '../http.ts'

/** Reason phrases as Python's `http.HTTPStatus` has them. */
const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  202: 'Accepted',
  307: 'Temporary Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
}

export const phraseOf = (status: number): string => PHRASES[status] ?? ''

/** The date header, made once a second. */
export class HttpDate {
  private readonly unixMs: () => number
  private second = Number.NaN
  private text = ''

  constructor(unixMs: () => number) {
    this.unixMs = unixMs
  }

  get now(): string {
    const second = Math.floor(this.unixMs() / 1e3)
    if (second !== this.second) {
      this.text = new Date(second * 1e3).toUTCString()
      this.second = second
    }
    return this.text
  }
}

/** Headers in the flat form node:http takes, date and server first. */
export function flat(date: string, headers: readonly Header[]): string[] {
  const lines = ['date', date, 'server', 'uvicorn']
  for (const [name, value] of headers) lines.push(name, value)
  return lines
}

/** uvicorn's answer to what is no HTTP request. */
// follows uvicorn/protocols/http/httptools_impl.py send_400_response
export const notHttp = (date: string): string =>
  `HTTP/1.1 400 Bad Request\r\ndate: ${date}\r\nserver: uvicorn\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 30\r\nconnection: close\r\n\r\nInvalid HTTP request received.`

/** How its websocket library turns away a handshake no route takes. */
export const noWebsocket = (date: string): string =>
  `HTTP/1.1 403 Forbidden\r\nDate: ${date}\r\nConnection: close\r\nContent-Length: 0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n`

/** uvicorn's line for an answer: `INFO:     127.0.0.1:48446 - "GET /health HTTP/1.1" 200 OK`. */
export const accessLine = (client: string, method: string, target: string, version: string, status: number): string =>
  `INFO:     ${client} - "${method} ${target} HTTP/${version}" ${status} ${phraseOf(status)}`.trimEnd()
