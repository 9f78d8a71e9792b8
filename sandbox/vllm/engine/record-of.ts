import type { Us } from '../../world/time.ts'
import { chainHashes } from './kv-cache.ts'
import type { RequestRecord } from './requests.ts'
import type { EngineObserver, EngineRequest, ResolvedEngineConfig } from './types.ts'

const NONE: readonly number[] = []

/**
 * What the engine keeps of a request that comes at `now`. Throws a RangeError for a prompt that is empty or fills the
 * context, and for no output.
 */
export function recordOf(
  request: EngineRequest,
  observer: EngineObserver,
  { maxModelLen, blockSize }: ResolvedEngineConfig,
  { serial, now }: { serial: number; now: Us },
): RequestRecord {
  const { promptTokens, outputTokens, id } = request
  if (!Number.isInteger(promptTokens) || promptTokens < 1 || promptTokens >= maxModelLen)
    throw new RangeError(`request ${id}: ${promptTokens} prompt tokens do not fit a context of ${maxModelLen}`)
  if (!Number.isInteger(outputTokens) || outputTokens < 1)
    throw new RangeError(`request ${id}: outputTokens must be a positive integer, got ${outputTokens}`)
  const room = maxModelLen - promptTokens
  const maxTokens = Math.min(request.maxTokens ?? room, room)
  return {
    request,
    observer,
    sharedHashes: sharedHashesOf(request, Math.floor(promptTokens / blockSize)),
    maxTokens,
    reason: request.reason ?? (outputTokens >= maxTokens ? 'length' : 'stop'),
    serial,
    arrivedAt: now,
    formerBlocks: undefined,
  }
}

/** Of the prompt's full blocks, and of those after them where they are known. */
function sharedHashesOf(
  { prefixHashes = NONE, outputHashes = NONE }: EngineRequest,
  promptBlocks: number,
): Float64Array {
  if (outputHashes.length === 0 || prefixHashes.length < promptBlocks) return chainHashes(prefixHashes, promptBlocks)
  const all = [...prefixHashes.slice(0, promptBlocks), ...outputHashes]
  return chainHashes(all, all.length)
}
