import { gzipSync } from 'node:zlib'
import { renderFamilies } from '../../engine/metric-text.ts'
import type { Handler, Header, WireRequest } from '../http.ts'
import { chooseFormat } from '../metrics/negotiate.ts'
import { renderOpenMetrics, renderText, restricted } from '../metrics/open-metrics.ts'
import type { Route } from '../router/route.ts'
import type { Serving } from '../serving.ts'

/**
 * `GET /metrics` and nothing else gets the text format, whole, whatever is asked for. The application mounted beside it answers any other
 * method and every other path that begins so, in the format that is asked for, in one chunk without a length.
 */
// follows vllm/entrypoints/serve/instrumentator/metrics.py, Instrumentator.expose, and prometheus_client/asgi.py
export const metricsRoutes: readonly Route[] = [
  { path: '/metrics', methods: ['GET'], handler: plain },
  { path: '/metrics', methods: [], mount: true, handler: negotiated },
]

function plain({ metrics }: Serving): Handler {
  return (_request, reply) => {
    const body = renderFamilies(metrics.families())
    reply.whole({ status: 200, contentType: 'text/plain; version=1.0.0; charset=utf-8', body })
    return undefined
  }
}

function negotiated({ metrics }: Serving): Handler {
  return ({ headers, query }, reply) => {
    const { contentType, format, escaping } = chooseFormat(headers.get('accept') ?? '')
    const families = restricted(metrics.families(), namesOf(query))
    const text = format === 'open-metrics' ? renderOpenMetrics(families, escaping) : renderText(families, escaping)
    const zipped = takesGzip(headers)
    const encoding: Header[] = zipped ? [['content-encoding', 'gzip']] : []
    const answer = reply.stream(contentType, [], encoding)
    // quick rather than small: the loop stands still meanwhile
    answer.write(zipped ? gzipSync(text, { level: 1 }) : text)
    answer.end()
    return undefined
  }
}

/** Undefined: all. Empty ones do not count. */
function namesOf(query: URLSearchParams): ReadonlySet<string> | undefined {
  const names = query.getAll('name[]').filter((name) => name !== '')
  return names.length > 0 ? new Set(names) : undefined
}

const takesGzip = (headers: WireRequest['headers']): boolean =>
  (headers.get('accept-encoding') ?? '').split(',').some((one) => one.split(';')[0]!.trim().toLowerCase() === 'gzip')
