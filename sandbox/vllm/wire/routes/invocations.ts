import { answerChat } from '../answers/chat/answer.ts'
import { answerCompletion } from '../answers/completion/answer.ts'
import { WireError } from '../errors.ts'
import type { Reply, WireRequest } from '../http.ts'
import { chatRequest } from '../protocol/chat.ts'
import { completionRequest } from '../protocol/completion.ts'
import { type RequestModel, requireJson } from '../protocol/parse-body.ts'
import { decodeJsonBytes } from '../python/decode.ts'
import { JsonDecodeError, parsePythonJson } from '../python/json-scanner.ts'
import { isDict, isList, PyFloat, type PyValue } from '../python/value.ts'
import type { Route } from '../router/route.ts'
import type { Serving } from '../serving.ts'

/** SageMaker's one route for everything: a chat or a completion, whichever the body is. */
// follows vllm/entrypoints/serve/sagemaker/api_router.py
export const invocationRoutes: readonly Route[] = [
  {
    path: '/invocations',
    methods: ['POST'],
    counted: true,
    handler: (serving) => (request, reply) => answerInvocation(request, reply, serving),
  },
]

function answerInvocation(request: WireRequest, reply: Reply, serving: Serving): () => void {
  requireJson(request)
  const body = withAdapter(bodyOf(request), request.headers.get(ADAPTER))
  checkKind(body)
  const chat = asModel(body, chatRequest)
  if (chat) return answerChat(chat, request, reply, serving)
  const completion = asModel(body, completionRequest)
  if (completion) return answerCompletion(completion, request, reply, serving)
  const expected = "['ChatCompletionRequest', 'CompletionRequest']"
  throw new WireError(400, 'BadRequestError', `Cannot find suitable handler for request. Expected one of: ${expected}`)
}

/** SageMaker's own layer looks into the body first, whatever it is. */
function checkKind(body: PyValue): void {
  if (isDict(body) || typeof body === 'string') return
  if (isList(body)) throw new WireError(400, 'BadRequestError', 'list indices must be integers or slices, not str')
  const kind =
    body === null ? 'NoneType' : typeof body === 'boolean' ? 'bool' : body instanceof PyFloat ? 'float' : 'int'
  throw new WireError(400, 'BadRequestError', `argument of type '${kind}' is not iterable`)
}

const ADAPTER = 'x-amzn-sagemaker-adapter-identifier'

/** The model is the adapter that the header names, whatever the body says. */
// follows model_hosting_container_standards/sagemaker/lora/transforms/inject_to_body.py
const withAdapter = (body: PyValue, adapter: string | undefined): PyValue =>
  isDict(body) ? new Map([...body, ['model', adapter ?? null]]) : body

/** Undefined: fields do not fit. Throws a WireError where a validator of vLLM's own refuses the body. */
function asModel<T>(body: PyValue, model: RequestModel<T>): T | undefined {
  try {
    return model.parse(body)
  } catch (error) {
    if (error instanceof WireError && error.type === 'Bad Request') return undefined
    throw error
  }
}

function bodyOf({ body }: WireRequest): PyValue {
  const text = decodeJsonBytes(body)
  try {
    return parsePythonJson(text)
  } catch (error) {
    if (!(error instanceof JsonDecodeError)) throw error
    const before = text.slice(0, error.position).split('\n')
    const place = `line ${before.length} column ${before.at(-1)!.length + 1} (char ${error.position})`
    throw new WireError(400, 'Bad Request', `JSON decode error: ${error.message}: ${place}`)
  }
}
