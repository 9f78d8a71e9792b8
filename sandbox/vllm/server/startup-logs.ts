import { toSeconds, type Us } from '../../world/time.ts'
import { pythonValue } from '../flags/values.ts'
import { formatGib } from '../memory/refusal.ts'
import { DEFAULT_ROUTES } from './default-routes.ts'
import type { LogRecord } from './log-format.ts'
import type { PhaseName, StartupSubject, StartupTexts } from './startup.ts'

type PhaseLogs = { opening: readonly LogRecord[]; closing(tookUs: Us): readonly LogRecord[] }

const api = (where: string, text: string): LogRecord => ({ process: 'APIServer', level: 'INFO', where, text })
const core = (where: string, text: string): LogRecord => ({ process: 'EngineCore', level: 'INFO', where, text })
const warning = (where: string, text: string): LogRecord => ({ ...api(where, text), level: 'WARNING' })
const plain = (text: string): LogRecord => ({ text })

/** What vLLM 0.32 prints around each phase, on CUDA. Texts follow its source; the banner carries the image's version. */
export function phaseLogs(name: PhaseName, subject: StartupSubject, texts: StartupTexts = {}): PhaseLogs {
  return { opening: opening(name, subject, texts), closing: (tookUs) => closing(name, subject, tookUs, texts) }
}

function workerOf({ settings }: StartupSubject): (where: string, text: string) => LogRecord {
  const parallel = settings.tensorParallelSize.value > 1
  const process = parallel ? 'Worker_TP0' : 'EngineCore'
  return (where, text) => ({ process, level: 'INFO', where, text })
}

function opening(name: PhaseName, subject: StartupSubject, texts: StartupTexts): readonly LogRecord[] {
  const { model } = subject
  const worker = workerOf(subject)
  switch (name) {
    case 'engine':
      return [
        core('core.py:133', `Initializing a V1 LLM engine (v${subject.version}) with config: ${engineConfig(subject)}`),
      ]
    case 'distributed':
      return distributed(subject)
    case 'fetch':
      return []
    case 'weights':
      return [
        worker('model_runner.py:392', 'Loading model from scratch...'),
        plain(
          'Loading safetensors checkpoint shards:   0% Completed | 0/1 [00:00<?, ?it/s]'.replace(
            '0/1',
            `0/${shards(model.weightsBytes)}`,
          ),
        ),
      ]
    case 'compile':
      return [worker('monitor.py:40', '[backbone] Starting torch.compile')]
    case 'api':
      return apiOpening(subject, texts)
    default:
      return []
  }
}

function closing(name: PhaseName, subject: StartupSubject, tookUs: Us, texts: StartupTexts): readonly LogRecord[] {
  const { memory, model } = subject
  const worker = workerOf(subject)
  const took = toSeconds(tookUs)
  switch (name) {
    case 'imports':
      return configLines(subject, texts)
    case 'fetch':
      return [
        worker(
          'weight_utils.py:541',
          `Time spent downloading weights for ${subject.settings.model.value}: ${took.toFixed(6)} seconds`,
        ),
      ]
    case 'weights': {
      const count = shards(model.weightsBytes)
      const lines = [
        plain(
          `Loading safetensors checkpoint shards: 100% Completed | ${count}/${count} [${clockOf(took)}<00:00, ${(took / count).toFixed(2)}s/it]`,
        ),
        worker('default_loader.py:501', `Loading weights took ${took.toFixed(2)} seconds`),
      ]
      const gib = memory && formatGib(memory.weightsBytesPerGpu)
      return gib
        ? [
            ...lines,
            worker('model_runner.py:424', `Model loading took ${gib} GiB memory and ${took.toFixed(6)} seconds`),
          ]
        : lines
    }
    case 'compile':
      return [worker('monitor.py:62', `[backbone] torch.compile took ${took.toFixed(2)} s in total`)]
    case 'profile':
      return memory ? kvLines(subject, took) : []
    case 'cudagraphs': {
      const gib = memory ? memory.overheads.cudagraphs.likely / 2 ** 30 : 0
      return [
        worker(
          'model_runner.py:1127',
          `Graph capturing finished in ${took.toFixed(0)} secs, took ${gib.toFixed(2)} GiB`,
        ),
      ]
    }
    case 'api':
      return [plain('INFO:     Application startup complete.')]
    default:
      return []
  }
}

/** The API server once the engine is up, to the point at which uvicorn starts. */
function apiOpening({ settings }: StartupSubject, { apiServerPid = 1, routes = DEFAULT_ROUTES, wire }: StartupTexts) {
  const address = `${settings.host.value ?? '0.0.0.0'}:${settings.port.value}`
  return [
    api('entry.py:136', "Supported tasks: ['generate']"),
    ...(wire?.runtimeLoraUpdating ? [warning('api_router.py:33', LORA_WARNING)] : []),
    ...(wire?.devMode ? [warning('__init__.py:44', DEV_WARNING)] : []),
    api('factories.py:89', SCALE_OUT_DISABLED),
    ...(wire?.loras ?? []).map(({ name, path }) =>
      api('serving.py:226', `Loaded new LoRA adapter: name '${name}', path '${path}'`),
    ),
    api('hf.py:648', CONTENT_FORMAT),
    api('entry.py:140', `Starting vLLM server on http${settings.tls.value ? 's' : ''}://${address}`),
    api('launcher.py:186', 'Available routes are:'),
    ...routes.map(([path, methods]) => api('launcher.py:195', `Route: ${path}, Methods: ${methods}`)),
    plain(`INFO:     Started server process [${apiServerPid}]`),
    plain('INFO:     Waiting for application startup.'),
  ]
}

const EAGER =
  'Enforce eager set, disabling torch.compile, CUDAGraphs, and JIT kernel warmup. This is equivalent to setting -cc.mode=none -cc.cudagraph_mode=none and --kernel_config.enable_jit_warmup=False'
const NO_INDUCTOR =
  'Inductor compilation was disabled by user settings, optimizations settings that are only active during inductor compilation will be ignored.'
const LORA_WARNING =
  'LoRA dynamic loading & unloading is enabled in the API server. This should ONLY be used for local development!'
const DEV_WARNING = 'SECURITY WARNING: Development endpoints are enabled! This should NOT be used in production!'
const SCALE_OUT_DISABLED =
  'Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to enable them.'
const CONTENT_FORMAT =
  "Detected the chat template content format to be 'string'. You can set `--chat-template-content-format` to override this."

const shards = (bytes: number): number => Math.max(1, Math.ceil(bytes / 5e9))

function clockOf(took: number): string {
  const whole = Math.round(took)
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`
}

function configLines(subject: StartupSubject, { wire }: StartupTexts): LogRecord[] {
  const { settings, model, version, memory } = subject
  const banner = [
    '',
    '       █     █     █▄   ▄█',
    ` ▄▄ ▄█ █     █     █ ▀▄▀ █  version ${version}`,
    `  █▄█▀ █     █     █     █  model   ${settings.model.value}`,
    '   ▀▀  ▀▀▀▀▀ ▀▀▀▀▀ ▀     ▀',
    '',
  ].join('\n')
  const lines = [
    api('api_utils.py:347', banner),
    api('api_utils.py:286', `non-default args: ${wire?.nonDefaultArgs ?? pythonValue(nonDefault(subject))}`),
    api('model.py:733', `Resolved architecture: ${model.architecture}`),
  ]
  if (!memory) return lines
  const asked = settings.dtype.value === 'float' ? 'float32' : settings.dtype.value
  if (asked === 'float32' && model.dtype !== 'float32')
    lines.push(api('model.py:2492', `Upcasting torch.${model.dtype} to torch.float32.`))
  const auto = settings.maxModelLen.value === -1
  lines.push(
    api('model.py:2152', `Using max model len ${auto ? model.maxPositionEmbeddings : memory.limits.maxModelLen}`),
  )
  if (settings.enableChunkedPrefill.value)
    lines.push(
      api(
        'scheduler.py:307',
        `Chunked prefill is enabled with max_num_batched_tokens=${memory.limits.maxNumBatchedTokens}.`,
      ),
    )
  if (settings.enforceEager.value) lines.push(warning('vllm.py:1703', EAGER), warning('vllm.py:1727', NO_INDUCTOR))
  return lines
}

/** Settings the user gave, as `non-default args` shows them. */
function nonDefault({ settings }: StartupSubject): Record<string, unknown> {
  const shown: Record<string, unknown> = { model_tag: settings.model.value }
  for (const setting of Object.values(settings)) {
    if (!('origin' in setting) || setting.origin !== 'flag' || !setting.by.startsWith('--')) continue
    shown[setting.by.slice(2).replaceAll('-', '_')] = setting.by === '--api-key' ? '***' : setting.value
  }
  return shown
}

function engineConfig({ settings, memory, model: spec }: StartupSubject): string {
  const dtype = DTYPES[settings.dtype.value] ?? spec.dtype
  const model = pythonValue(settings.model.value)
  return `model=${model}, speculative_config=None, tokenizer=${model}, skip_tokenizer_init=False, tokenizer_mode=auto, revision=None, tokenizer_revision=None, trust_remote_code=False, dtype=torch.${dtype}, max_seq_len=${memory?.limits.maxModelLen ?? settings.maxModelLen.value ?? 'None'}, download_dir=None, load_format=${settings.loadFormat.value}, tensor_parallel_size=${settings.tensorParallelSize.value}, pipeline_parallel_size=${settings.pipelineParallelSize.value}, data_parallel_size=${settings.dataParallelSize.value}, enforce_eager=${pythonValue(settings.enforceEager.value)}, kv_cache_dtype=${settings.kvCacheDtype.value}`
}

/** What `--dtype` asks for; `auto` is the model's own. */
const DTYPES: Readonly<Record<string, string>> = {
  bfloat16: 'bfloat16',
  float16: 'float16',
  half: 'float16',
  float32: 'float32',
  float: 'float32',
}

function distributed(subject: StartupSubject): LogRecord[] {
  const { settings } = subject
  const tensor = settings.tensorParallelSize.value
  const world = tensor * settings.pipelineParallelSize.value
  return Array.from({ length: tensor > 1 ? world : 1 }, (_, rank): LogRecord[] => {
    const process = tensor > 1 ? `Worker_TP${rank % tensor}` : 'EngineCore'
    const record = (where: string, text: string): LogRecord => ({ process, level: 'INFO', where, text })
    return [
      record(
        'parallel_state.py:1906',
        `world_size=${world} rank=${rank} local_rank=${rank} distributed_init_method=tcp://127.0.0.1:29500 backend=nccl`,
      ),
      record(
        'parallel_state.py:2350',
        `rank ${rank} in world size ${world} is assigned as DP rank 0, PP rank ${Math.floor(rank / tensor)}, PCP rank 0, TP rank ${rank % tensor}, ETP rank ${rank % tensor}, EP rank N/A, EPLB rank N/A`,
      ),
    ]
  }).flat()
}

function kvLines(subject: StartupSubject, took: number): LogRecord[] {
  const memory = subject.memory!
  const worker = workerOf(subject)
  const tokens = memory.kvCacheTokens.toLocaleString('en-US')
  const length = memory.limits.maxModelLen.toLocaleString('en-US')
  return [
    worker('gpu_worker.py:759', `Available KV cache memory: ${formatGib(memory.kvCacheBytesPerGpu)} GiB`),
    core(
      'kv_cache_utils.py:2327',
      `GPU KV cache size: ${tokens} tokens, Maximum concurrency for ${length} tokens per request: ${memory.maxConcurrency.toFixed(2)}x`,
    ),
    core('core.py:402', `init engine (profile, create kv cache, warmup model) took ${took.toFixed(2)} s`),
  ]
}
