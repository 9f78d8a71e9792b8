import type { SleepState } from '../../engine/metric-quantities.ts'
import { WireError } from '../errors.ts'
import type { Handler, WholeAnswer, WireRequest } from '../http.ts'
import { bool, int } from '../pydantic/numbers.ts'
import { type Fields, withDefault } from '../pydantic/records.ts'
import { literal } from '../pydantic/scalars.ts'
import { isList, type PyDict } from '../python/value.ts'
import { empty, json } from '../router/answers.ts'
import type { Method, Route } from '../router/route.ts'
import type { PauseMode, Serving } from '../serving.ts'
import { readJsonObject, readQuery } from './query.ts'

const MODE = withDefault(literal('abort', 'wait', 'keep'), 'abort')
const PAUSE: Fields = { mode: MODE, clear_cache: withDefault(bool, true) }
const SLEEP: Fields = { level: withDefault(int({ ge: 0n, le: 2n }), 1), mode: MODE }
const RESET: Fields = { reset_running_requests: withDefault(bool, false), reset_external: withDefault(bool, false) }
const WORLD: Fields = { include_dp: withDefault(bool, true) }

type Answer = WholeAnswer | ((done: (answer: WholeAnswer) => void) => void)

/** A route of a server with `VLLM_SERVER_DEV_MODE`. */
function dev(path: string, method: Method, answer: (request: WireRequest, serving: Serving) => Answer): Route {
  const handler = (serving: Serving): Handler => {
    return (request, reply) => {
      const answered = answer(request, serving)
      if (typeof answered === 'function') answered((whole) => reply.whole(whole))
      else reply.whole(answered)
      return undefined
    }
  }
  return { path, methods: [method], when: ({ flags }) => flags.devMode, handler }
}

/** Caches, sleep, pause: levers that only a server for development shows. Weight transfer is not configured in any. */
// follows vllm/entrypoints/serve/dev/*/api_router.py and vllm/entrypoints/rl/online/api_router.py
export const devRoutes: readonly Route[] = [
  dev('/reset_prefix_cache', 'POST', (request, { control }) => {
    readQuery(request, RESET)
    return json({ success: control.resetPrefixCache() })
  }),
  dev('/reset_mm_cache', 'POST', () => empty()),
  dev('/reset_encoder_cache', 'POST', () => empty()),
  dev('/collective_rpc', 'POST', (request) => {
    const body = readJsonObject(request, (error) => `JSON decode error: ${error.message}`)
    if ((body.get('method') ?? null) === null)
      throw new WireError(400, 'Bad Request', "Missing 'method' in request body")
    throw failed('collective_rpc', `Worker has no method '${String(body.get('method'))}'`)
  }),
  dev('/server_info', 'GET', (request, serving) => {
    const format = readQuery(request, { config_format: withDefault(literal('text', 'json'), 'text') })
    return json(serverInfo(serving, format.get('config_format') as 'text' | 'json'))
  }),
  dev('/sleep', 'POST', (request, serving) => {
    const query = readQuery(request, SLEEP)
    const level = Number(query.get('level'))
    return timed(serving, 'sleep', (done) =>
      serving.control.sleep(level, modeOf(query), () => {
        serving.metrics.sleepState = level as SleepState
        done(json({ status: 'sleeping', level }))
      }),
    )
  }),
  dev('/release_kv_cache_memory', 'POST', (_request, { control, metrics }) => {
    metrics.sleep.began('release_kv_cache_memory')()
    if (!control.paused) throw failed('release_kv_cache_memory', UNPAUSED)
    metrics.sleepState = 0
    return json({ status: 'kv_cache_released' })
  }),
  dev('/wake_up', 'POST', (request, serving) => {
    const given = request.query.getAll('tags')
    const tags = given.length > 0 ? given : undefined
    return timed(serving, 'wake', (done) => {
      const awake = serving.control.wake(tags)
      if (awake) serving.metrics.sleepState = 'awake'
      done(json({ status: awake ? 'awake' : 'sleeping', tags: tags ?? null }))
    })
  }),
  dev('/is_sleeping', 'GET', (_request, { control }) => json({ is_sleeping: control.sleeping })),
  dev('/pause', 'POST', (request, { control }) => {
    const query = readQuery(request, PAUSE)
    return (done) => control.pause(modeOf(query), () => done(json({ status: 'paused' })))
  }),
  dev('/resume', 'POST', (_request, { control }) => {
    control.resume()
    return json({ status: 'resumed' })
  }),
  dev('/abort_requests', 'POST', (request, { control }) => {
    const ids = readJsonObject(request, () => 'Invalid JSON format').get('request_ids')
    const wanted = isList(ids) && ids.length > 0 ? ids.map(String) : undefined
    const aborted = control.abort(wanted)
    return json({ status: 'aborted', aborted: wanted?.length ?? aborted })
  }),
  dev('/is_paused', 'GET', (_request, { control }) => json({ is_paused: control.paused })),
  ...['/init_weight_transfer_engine', '/shutdown_weight_transfer_engine', '/start_weight_update'].map(notConfigured),
  ...['/start_draft_weight_update', '/update_weights', '/finish_weight_update'].map(notConfigured),
  dev('/update_weight_version', 'POST', (request) => {
    const version = readJsonObject(request, (error) => error.message).get('new_version')
    return json({ success: true, new_version: version })
  }),
  dev('/weight_info', 'GET', () => json({ weight_version: 'default' })),
  dev('/weight_checker', 'POST', (request) => {
    const action = readJsonObject(request, (error) => error.message).get('action')
    if (action === 'reset') return json({ status: 'reset' })
    return json(action === 'compare' ? { match: true, mismatches: [] } : { checksums: {} })
  }),
  dev('/get_world_size', 'GET', (request, { settings }) => {
    const { tensorParallelSize: tp, pipelineParallelSize: pp, dataParallelSize: dp } = settings
    const all = readQuery(request, WORLD).get('include_dp') === true
    return json({ world_size: tp.value * pp.value * (all ? dp.value : 1) })
  }),
]

const UNPAUSED = 'release_kv_cache_memory() requires a completed pause first'

const modeOf = (query: PyDict): PauseMode => query.get('mode') as PauseMode

/** Tells `vllm:sleep_mode_operation_duration_seconds`. */
function timed(serving: Serving, operation: 'sleep' | 'wake', run: (done: (answer: WholeAnswer) => void) => void) {
  return (done: (answer: WholeAnswer) => void) => {
    const ended = serving.metrics.sleep.began(operation)
    run((answer) => {
      ended()
      done(answer)
    })
  }
}

/** An exception in the engine's process, of which the API server knows the text. */
const failed = (method: string, why: string): WireError =>
  new WireError(500, 'InternalServerError', `Call to ${method} method failed: ${why}`, null, { unhandled: true })

function notConfigured(path: string): Route {
  const why = 'Weight transfer not configured. Please set weight_transfer_config to enable weight transfer.'
  return dev(path, 'POST', () => {
    throw failed('collective_rpc', why)
  })
}

/** Of the engine's configuration only what this server acts on. */
function serverInfo({ settings, flags }: Serving, format: 'text' | 'json'): unknown {
  const config = Object.fromEntries(
    Object.entries(settings).flatMap(([name, setting]) =>
      setting !== null && typeof setting === 'object' && 'value' in setting ? [[name, setting.value ?? null]] : [],
    ),
  )
  const shown =
    format === 'json'
      ? config
      : Object.entries(config)
          .map(([name, value]) => `${name}=${value}`)
          .join(', ')
  return { vllm_config: shown, vllm_env: {}, system_env: { vllm_version: flags.version } }
}
