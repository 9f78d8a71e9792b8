import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type ErrorType, WireError } from '../errors.ts'
import type { Handler, WholeAnswer, WireRequest } from '../http.ts'
import { parseBody, requestModel } from '../protocol/parse-body.ts'
import { nullable } from '../pydantic/containers.ts'
import { bool, int } from '../pydantic/numbers.ts'
import { model, required, withDefault } from '../pydantic/records.ts'
import { str } from '../pydantic/scalars.ts'
import type { PyDict } from '../python/value.ts'
import { refusal } from '../router/answers.ts'
import type { Route } from '../router/route.ts'
import type { LoraAdapter, Serving } from '../serving.ts'
import { readJsonObject } from './query.ts'

const loadRequest = requestModel(
  'LoadLoRAAdapterRequest',
  model(
    'LoadLoRAAdapterRequest',
    {
      lora_name: required(str()),
      lora_path: required(str()),
      load_inplace: withDefault(bool, false),
      is_3d_lora_weight: withDefault(bool, false),
    },
    { extra: 'ignore' },
  ),
  (body) => body,
)
const unloadRequest = requestModel(
  'UnloadLoRAAdapterRequest',
  model(
    'UnloadLoRAAdapterRequest',
    { lora_name: required(str()), lora_int_id: withDefault(nullable(int()), null) },
    { extra: 'ignore' },
  ),
  (body) => String(body.get('lora_name')),
)

const when = ({ flags }: Serving): boolean => flags.runtimeLoraUpdating

/** Handlers that answer with a text or a refusal. */
const answering = (answer: (request: WireRequest, serving: Serving) => string): Route['handler'] => {
  return (serving): Handler =>
    (request, reply) => {
      reply.whole(said(() => answer(request, serving)))
      return undefined
    }
}

/** Adapters that come and go while a server runs, where `VLLM_ALLOW_RUNTIME_LORA_UPDATING` lets them. */
// follows vllm/entrypoints/serve/lora/api_router.py and vllm/entrypoints/openai/models/serving.py
export const loraRoutes: readonly Route[] = [
  {
    path: '/v1/load_lora_adapter',
    methods: ['POST'],
    when,
    handler: answering((request, serving) => {
      const body = parseBody(request, loadRequest)
      return load(serving, adapterOf(body, 'lora_name', 'lora_path'), body.get('load_inplace') === true)
    }),
  },
  {
    path: '/v1/unload_lora_adapter',
    methods: ['POST'],
    when,
    handler: answering((request, serving) => unload(serving, parseBody(request, unloadRequest))),
  },
]

/** The same by the names that SageMaker has for it. */
export const adapterRoutes: readonly Route[] = [
  {
    path: '/adapters',
    methods: ['POST'],
    when,
    handler: answering((request, serving) => {
      const body = readJsonObject(request, ({ message }) => message)
      return load(serving, adapterOf(body, 'name', 'src'), body.get('load_inplace') === true)
    }),
  },
  {
    path: '/adapters/{adapter_name}',
    methods: ['DELETE'],
    when,
    handler: answering((request, serving) => unload(serving, request.params['adapter_name']!)),
  },
]

const adapterOf = (body: PyDict, name: string, path: string): LoraAdapter => ({
  name: String(body.get(name) ?? ''),
  path: String(body.get(path) ?? ''),
})

/** A text goes out without a type. */
function said(answer: () => string): WholeAnswer {
  try {
    return { status: 200, body: answer() }
  } catch (error) {
    if (error instanceof WireError) return refusal(error)
    throw error
  }
}

const refused = (type: ErrorType, status: number, message: string): WireError => new WireError(status, type, message)

function load(serving: Serving, adapter: LoraAdapter, inPlace: boolean): string {
  const { model: served, flags } = serving
  const { name, path } = adapter
  const invalid = (message: string) => refused('InvalidUserInput', 400, message)
  if (!name || !path) throw invalid("Both 'lora_name' and 'lora_path' must be provided.")
  if (served.names.includes(name)) throw invalid(`The lora adapter '${name}' conflicts with a served base model.`)
  const before = served.loras.get(name)
  if (!inPlace && before)
    throw invalid(
      `The lora adapter '${name}' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.`,
    )
  if (!flags.enableLora)
    throw refused(
      'InternalServerError',
      500,
      'Call to add_lora method failed: LoRA is not enabled. Use --enable-lora to enable LoRA.',
    )
  if (!isAdapter(path)) throw refused('NotFoundError', 404, `Loading lora ${name} failed: No adapter found for ${path}`)
  if (before?.path === path)
    serving.log({
      process: 'APIServer',
      level: 'WARNING',
      where: 'serving.py:217',
      text: `Reloaded LoRA adapter '${name}' in place from the same path '${path}'. Prefix-cache blocks computed with its previous weights are not invalidated; load changed weights from a new path to avoid reusing them.`,
    })
  served.loras.set(name, adapter)
  serving.log(info('serving.py:226', `Loaded new LoRA adapter: name '${name}', path '${path}'`))
  return `Success: LoRA adapter '${name}' added successfully.`
}

/** A path has to hold an adapter; a name of the hub is taken on trust. */
const isAdapter = (path: string): boolean =>
  path.startsWith('/') || path.startsWith('.')
    ? existsSync(join(path, 'adapter_config.json'))
    : /^[\w.-]+\/[\w.-]+$/.test(path)

function unload(serving: Serving, name: string): string {
  const { loras } = serving.model
  if (!name) throw refused('InvalidUserInput', 400, "'lora_name' needs to be provided to unload a LoRA adapter.")
  if (!loras.delete(name)) throw refused('NotFoundError', 404, `The lora adapter '${name}' cannot be found.`)
  serving.log(info('serving.py:244', `Removed LoRA adapter: name '${name}'`))
  return `Success: LoRA adapter '${name}' removed successfully.`
}

const info = (where: string, text: string) => ({ process: 'APIServer', level: 'INFO', where, text }) as const
