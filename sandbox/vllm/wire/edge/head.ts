import type { IncomingMessage } from 'node:http'
import type { Head } from '../router/app.ts'

/** What of a request is known before its body. Undefined: uvicorn calls such a target no HTTP request. */
// follows uvicorn/protocols/http/httptools_impl.py on_headers_complete
export function headOf(message: IncomingMessage, authority: string): Head | undefined {
  const target = message.url ?? ''
  const split = splitTarget(target)
  if (!split) return undefined
  const headers = new Map<string, string>()
  const { rawHeaders } = message
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (!headers.has(name)) headers.set(name, rawHeaders[i + 1]!)
  }
  const path = split.path.includes('%') ? unquoted(split.path) : split.path
  const query = new URLSearchParams(split.query)
  return { method: message.method ?? '', target: `${quotedPath(path)}${split.query}`, path, query, headers, authority }
}

/** Path, and query with its question mark. */
function splitTarget(target: string): { path: string; query: string } | undefined {
  const local = target.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/, '')
  const [, path = '', query = ''] = /^([^?#]*)(\?[^#]*)?/s.exec(local) ?? []
  if (!path.startsWith('/') || /[^\x21-\x7e]/.test(path)) return undefined
  return { path, query }
}

/** As Python's `unquote`: what is not UTF-8 becomes U+FFFD. */
const unquoted = (path: string): string =>
  path.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))

/** As Python's `quote` writes a path. */
const quotedPath = (path: string): string =>
  /^[\w\-.~/]*$/.test(path)
    ? path
    : path.replace(/[^\w\-.~/]/gu, (char) =>
        [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
      )
