import { createHash } from 'node:crypto'
import type { ServerSettings } from '../../flags/settings.ts'
import { pythonValue } from '../../flags/values.ts'
import type { LoraAdapter, WireFlags } from '../serving.ts'

/** What a command line and its environment say. */
export interface GivenFlags {
  /** By `dest`. */
  readonly given: ReadonlyMap<string, unknown>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly settings: ServerSettings
  readonly version: string
}

/** Flags of the HTTP server itself. */
export interface HttpFlags {
  readonly keepAliveSeconds: number
  /** Uvicorn's lines for requests. */
  readonly accessLog: boolean
  readonly quietPaths: ReadonlySet<string>
  readonly statisticsSeconds: number | undefined
  readonly loraModules: readonly LoraAdapter[]
  readonly chatTemplate: string | undefined
}

/** Flags and environment that shape the wire. */
// follows vllm/entrypoints/launchers/cli_args.py and vllm/envs.py
export function wireFlagsOf({ given, environment, settings, version }: GivenFlags): WireFlags {
  const flag = (dest: string): boolean => given.get(dest) === true
  const list = (dest: string, fallback: readonly string[]): readonly string[] =>
    (given.get(dest) as readonly string[] | undefined) ?? fallback
  const text = (dest: string): string | undefined => given.get(dest) as string | undefined
  const sse = Number(given.get('sse_keep_alive_interval') ?? 0)
  return {
    version,
    // a flag wins over the variable
    apiKeys: list('api_key', [environment['VLLM_API_KEY'] ?? '']).filter((key) => key !== ''),
    devMode: isSet(environment['VLLM_SERVER_DEV_MODE']),
    runtimeLoraUpdating: isSet(environment['VLLM_ALLOW_RUNTIME_LORA_UPDATING']),
    enableLora: flag('enable_lora'),
    enableRequestIdHeaders: flag('enable_request_id_headers'),
    enableServerLoadTracking: flag('enable_server_load_tracking'),
    enablePromptTokensDetails: flag('enable_prompt_tokens_details'),
    enableForceIncludeUsage: flag('enable_force_include_usage'),
    enablePerRequestMetrics: flag('enable_per_request_metrics'),
    enableTokenizerInfoEndpoint: flag('enable_tokenizer_info_endpoint'),
    enableAutoToolChoice: flag('enable_auto_tool_choice'),
    toolCallParser: text('tool_call_parser'),
    trustRequestChatTemplate: flag('trust_request_chat_template'),
    returnTokensAsTokenIds: flag('return_tokens_as_token_ids'),
    responseRole: text('response_role') ?? 'assistant',
    maxLogprobs: Number(given.get('max_logprobs') ?? 20),
    disableFastapiDocs: flag('disable_fastapi_docs'),
    cors: {
      origins: list('allowed_origins', []),
      methods: list('allowed_methods', ['*']),
      headers: list('allowed_headers', ['*']),
      credentials: flag('allow_credentials'),
    },
    keepAliveOnEngineDeath: isSet(environment['VLLM_KEEP_ALIVE_ON_ENGINE_DEATH']),
    sseKeepAliveSeconds: sse > 0 ? sse : undefined,
    systemFingerprint: fingerprint({ given, environment, settings, version }),
  }
}

export function httpFlagsOf({ given, environment }: GivenFlags): HttpFlags {
  const interval = Number(environment['VLLM_LOG_STATS_INTERVAL'] ?? 10)
  const level = String(given.get('uvicorn_log_level') ?? 'info')
  const quiet = String(given.get('disable_access_log_for_endpoints') ?? '')
  return {
    keepAliveSeconds: Number(environment['VLLM_HTTP_TIMEOUT_KEEP_ALIVE'] ?? 5),
    accessLog: given.get('disable_uvicorn_access_log') !== true && ['info', 'debug', 'trace'].includes(level),
    quietPaths: new Set(
      quiet
        .split(',')
        .map((path) => path.trim())
        .filter((path) => path !== ''),
    ),
    statisticsSeconds: given.get('disable_log_stats') === true ? undefined : interval > 0 ? interval : 10,
    loraModules: loraModules(given.get('lora_modules')),
    chatTemplate: given.get('chat_template') as string | undefined,
  }
}

/** What differs from the defaults, in the parser's order, as the log of a start prints it. */
// follows log_non_default_args in vllm/entrypoints/serve/utils/api_utils.py
export function nonDefaultArgs(
  { given, settings }: GivenFlags,
  flags: Readonly<Record<string, { readonly dest: string; readonly default?: unknown }>>,
): string {
  const model = pythonValue(settings.model.value)
  const shown = [`'model_tag': ${model}`]
  const seen = new Set<string>()
  for (const { dest, default: fallback } of Object.values(flags)) {
    if (seen.has(dest)) continue
    seen.add(dest)
    const value = dest === 'model' ? settings.model.value : given.get(dest)
    if (value === undefined || JSON.stringify(value) === JSON.stringify(fallback)) continue
    shown.push(`'${dest}': ${shownValue(dest, value)}`)
  }
  return `{${shown.join(', ')}}`
}

function shownValue(dest: string, value: unknown): string {
  if (dest === 'api_key') return "'***'"
  if (dest !== 'lora_modules') return pythonValue(value)
  const modules = loraModules(value).map(
    ({ name, path }) =>
      `LoRAModulePath(name=${pythonValue(name)}, path=${pythonValue(path)}, base_model_name=None, is_3d_lora_weight=False)`,
  )
  return `[${modules.join(', ')}]`
}

/** `name=path`, or JSON with both. */
function loraModules(value: unknown): readonly LoraAdapter[] {
  return ((value as readonly string[] | undefined) ?? []).map((text) => {
    if (text.trimStart().startsWith('{')) {
      const { name, path } = JSON.parse(text) as { name: string; path: string }
      return { name, path }
    }
    const equals = text.indexOf('=')
    return { name: text.slice(0, equals), path: text.slice(equals + 1) }
  })
}

/** `vllm-0.32.0-tp2-b6605c22`. Upstream's last part is a hash of all its configuration; here of what was given. */
// follows vllm/entrypoints/serve/utils/fingerprint.py
function fingerprint({ given, settings, version }: GivenFlags): string | null {
  const mode = given.get('fingerprint_mode') ?? 'full'
  if (mode === 'none') return null
  if (mode === 'custom') return (given.get('fingerprint_value') as string | undefined) ?? null
  const shaping = [...given].filter(([dest]) => !FRONTEND.has(dest))
  const hash = createHash('sha256')
    .update(JSON.stringify([settings.model.value, ...shaping]))
    .digest('hex')
    .slice(0, 8)
  if (mode === 'hash') return `vllm-${version}-${hash}`
  const degree = (name: string, value: number) => (value > 1 ? [`${name}${value}`] : [])
  const parts = [
    `vllm-${version}`,
    ...degree('tp', settings.tensorParallelSize.value),
    ...degree('pp', settings.pipelineParallelSize.value),
    ...degree('dp', settings.dataParallelSize.value),
    ...(settings.enableExpertParallel.value ? ['ep'] : []),
    hash,
  ]
  return parts.join('-')
}

/** Flags that say nothing of how the model is run. */
const FRONTEND = new Set(['host', 'port', 'api_key', 'served_model_name', 'uvicorn_log_level', 'fingerprint_mode'])

/** As `bool(int(os.getenv(…)))` and its like read a variable. */
const isSet = (text: string | undefined): boolean => /^(1|true)$/i.test(text?.trim() ?? '')
