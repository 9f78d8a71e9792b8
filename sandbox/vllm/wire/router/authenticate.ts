import type { WireRequest } from '../http.ts'

const GUARDED = ['/v1', '/v2', '/inference', '/cohere']

/** Whether a request may pass: no keys are set, it asks for nothing guarded, or it carries one of them. */
// follows vllm/entrypoints/serve/middleware/authenticate.py
export function authorised(
  apiKeys: readonly string[],
  { method, path, headers }: Pick<WireRequest, 'method' | 'path' | 'headers'>,
): boolean {
  if (apiKeys.length === 0 || method === 'OPTIONS') return true
  if (!GUARDED.some((prefix) => path.startsWith(prefix))) return true
  const [, scheme, token] = /^([^ ]*)(?: (.*))?$/s.exec(headers.get('authorization') ?? '') ?? []
  return scheme?.toLowerCase() === 'bearer' && apiKeys.includes(token ?? '')
}
