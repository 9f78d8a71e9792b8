import { badRequest } from '../errors.ts'
import { dict, list, nullable, union } from '../pydantic/containers.ts'
import { bool, float, int, int64 } from '../pydantic/numbers.ts'
import { dataclass, type Field, model, withDefault } from '../pydantic/records.ts'
import { anything, before, literal, str } from '../pydantic/scalars.ts'
import { pyStr } from '../python/text.ts'
import { isInt, type PyDict, type PyInt, type PyValue } from '../python/value.ts'

// Fields that several requests have, as vllm/entrypoints/openai/*/protocol.py define them.

const INT64_MAX = 2n ** 63n - 1n
const MAX_STOP_STRINGS = 4

export const orNone = (schema: Field['schema']): Field => withDefault(nullable(schema), null)
export const optionalText = orNone(str())
export const optionalInt = orNone(int())
export const optionalFloat = orNone(float)
export const optionalBool = orNone(bool)
export const no = withDefault(bool, false)
export const yes = withDefault(bool, true)
/** A flag that null switches off. */
export const nullableNo = withDefault(nullable(bool), false)
export const optionalInts = orNone(list(int()))
export const optionalDict = orNone(dict(anything))
export const logitBias = orNone(dict(float))
export const seed = orNone(int64)
export const priority = withDefault(int64, 0)
export const stop = withDefault(nullable(union(str(), list(str(), { maxLength: MAX_STOP_STRINGS }))), [])
export const stopTokenIds = withDefault(nullable(list(int())), [])
export const truncatePromptTokens = orNone(int({ ge: -1n, le: INT64_MAX }))
export const truncationSide = orNone(literal('left', 'right'))
export const badWords = withDefault(list(str()), [])
/** A factory gives the default: the server makes an id. */
export const requestId: Field = { schema: str(), optional: true }
export const cacheSalt = orNone(str({ minLength: 1, maxLength: 1024 }))
export const mmPayload = withDefault(literal('tensors', 'none'), 'tensors')
export const streamInterval = orNone(int({ ge: 1n }))
export const routedExpertsPromptStart = withDefault(int({ ge: 0n }), 0)
export const mediaIoKwargs = orNone(dict(dict(anything)))
export const xargs = orNone(dict(union(str(), int(), float, list(union(str(), int(), float)))))

export const streamOptions = orNone(
  model('StreamOptions', { include_usage: nullableNo, continuous_usage_stats: nullableNo }),
)

/** Null is the same as none. */
export const topLogprobs = withDefault(
  before((value) => value ?? 0, int()),
  0,
)

/** -1 is the same as none. */
// follows validate_thinking_token_budget of vllm/sampling_params.py
export const thinkingTokenBudget = withDefault(
  before((value) => {
    if (value === null || value === -1) return null
    if (isInt(value) && value >= 0) return value
    throw badRequest(
      '`thinking_token_budget` must be a non-negative integer or -1 for unlimited.',
      'thinking_token_budget',
      pyStr(value),
    )
  }, nullable(int())),
  null,
)

// follows RepetitionDetectionParams of vllm/sampling_params.py
export const repetitionDetection = orNone(
  dataclass(
    'RepetitionDetectionParams',
    {
      max_pattern_size: withDefault(int(), 0),
      min_pattern_size: withDefault(int(), 0),
      min_count: withDefault(int(), 0),
    },
    checkRepetition,
  ),
)

function checkRepetition(self: PyDict): void {
  const size = (name: string): PyInt => self.get(name) as PyInt
  const most = size('max_pattern_size')
  const least = size('min_pattern_size')
  if (most < 0 || least < 0 || least > most)
    throw badRequest(
      'max_pattern_size, min_pattern_size must be >=0, with min_pattern_size <= max_pattern_size. Set both to 0 to disable repetitive pattern detection.',
    )
  if (most > 0 && size('min_count') < 2)
    throw badRequest(
      'min_count must be >= 2 to detect repetitive patterns in engine output. If you do not wish to detect repetitive patterns, set max_pattern_size to 0.',
    )
}

/** Text or a list of texts as a list; none for null. */
export const textsOf = (value: PyValue | undefined): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : Array.isArray(value)
      ? value.filter((item): item is string => typeof item === 'string')
      : []
