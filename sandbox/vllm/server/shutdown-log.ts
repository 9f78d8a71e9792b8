import type { LogRecord } from './log-format.ts'

type Level = LogRecord['level']

const record =
  (process: string) =>
  (where: string, text: string, level: Level = 'INFO'): LogRecord => ({ process, level, where, text })

const api = record('APIServer')
const core = record('EngineCore')
const plain = (text: string): LogRecord => ({ text })

/** What the API server and the engine print when SIGTERM arrives. */
export function shutdownLog(timeoutSeconds: number, openRequests: number, enginePid: number): readonly LogRecord[] {
  const mode = timeoutSeconds > 0 ? 'drain' : 'abort'
  const inFlight =
    mode === 'abort'
      ? core('core.py:1644', `[shutdown] EngineCore: aborting in-flight requests count=${openRequests}`)
      : core(
          'core.py:1655',
          `[shutdown] EngineCore: draining in-flight requests count=${openRequests} timeout=${timeoutSeconds}s`,
        )
  return [
    api('launcher.py:254', '[shutdown] API server: shutdown triggered'),
    api('launcher.py:270', `[shutdown] API server: stopping engine client mode=${mode} timeout=${timeoutSeconds}s`),
    api('core_client.py:770', `[shutdown] MPClient: start timeout=${timeoutSeconds}s`),
    api('core_client.py:772', '[shutdown] MPClient: stopping engine manager'),
    api('utils.py:628', '[shutdown] Process manager: send sigterm to process EngineCore'),
    ...(mode === 'abort' ? forceKilling(enginePid) : []),
    core('core.py:1454', '[shutdown] EngineCore: trigger received signal=SIGTERM'),
    core('core.py:1635', `[shutdown] EngineCore: start mode=${mode} timeout=${timeoutSeconds}s`),
    ...(openRequests > 0 ? [inFlight] : []),
  ]
}

/** Upstream waits for no process without a timeout. */
const forceKilling = (enginePid: number): readonly LogRecord[] => [
  api('utils.py:648', '[shutdown] Process manager: force killing remaining processes count=1', 'WARNING'),
  api(
    'utils.py:653',
    `[shutdown] Process manager: force killing remaining process EngineCore pid ${enginePid}`,
    'WARNING',
  ),
]

/** What follows once the engine has no requests, or was killed with them, up to the end of the HTTP server. */
export function engineStoppedLog(ended: 'done' | 'killed', enginePid: number, workerPid: number): readonly LogRecord[] {
  const worker = `[shutdown] force killing sub process VLLM::Worker pid ${workerPid}`
  return [
    ...(ended === 'done'
      ? [
          core('core.py:1666', '[shutdown] EngineCore: request processing complete; starting resource teardown'),
          core('core.py:1499', '[shutdown] EngineCore: exiting busy loop'),
        ]
      : forceKilling(enginePid)),
    api('system_utils.py:225', worker, 'WARNING'),
    api('core_client.py:774', '[shutdown] MPClient: engine manager stopped'),
    api('core_client.py:775', '[shutdown] MPClient: cleaning up background resources'),
    api('core_client.py:777', '[shutdown] MPClient: complete'),
    ...outputHandlerFailed(),
    api('launcher.py:279', '[shutdown] API server: engine client stopped'),
    api('launcher.py:282', '[shutdown] API server: signalling HTTP server shutdown'),
    api('launcher.py:304', '[shutdown] API server: shutting down FastAPI HTTP server'),
    plain('INFO:     Shutting down'),
  ]
}

const DEAD =
  'vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue. See stack trace (above) for the root cause.'

const outputHandlerFailed = (): readonly LogRecord[] => [
  api('async_llm.py:906', `AsyncLLM output_handler failed.\nTraceback (most recent call last):\n${DEAD}`, 'ERROR'),
]

/** uvicorn with connections that have not ended. */
export const WAITING_FOR_CONNECTIONS = plain('INFO:     Waiting for connections to close. (CTRL+C to force quit)')

/** uvicorn's end, when no connection is left. */
export const APPLICATION_SHUTDOWN: readonly LogRecord[] = [
  plain('INFO:     Waiting for application shutdown.'),
  plain('INFO:     Application shutdown complete.'),
]

/** What is printed when a worker, or the engine's own process, dies. */
export function engineDeathLog(what: 'worker' | 'engine'): readonly LogRecord[] {
  const worker = 'Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down executor.'
  const fatal = 'EngineCore encountered a fatal error.\nTraceback (most recent call last):\nRuntimeError: cancelled'
  return [
    ...(what === 'worker'
      ? [core('multiproc_executor.py:315', worker, 'ERROR'), core('core.py:1512', fatal, 'ERROR')]
      : [api('core_client.py:817', '[shutdown] MPClient: engine core exited unexpectedly; starting cleanup', 'ERROR')]),
    ...outputHandlerFailed(),
  ]
}

/** After the HTTP server of a dead engine has ended. */
export const deadEngineEndLog = (enginePid: number, apiPid: number): readonly LogRecord[] => [
  plain('INFO:     Shutting down'),
  ...APPLICATION_SHUTDOWN,
  plain(`INFO:     Finished server process [${apiPid}]`),
  api('core_client.py:770', '[shutdown] MPClient: start timeout=0s'),
  api('core_client.py:772', '[shutdown] MPClient: stopping engine manager'),
  api('utils.py:628', '[shutdown] Process manager: send sigterm to process EngineCore'),
  ...forceKilling(enginePid),
  api('core_client.py:774', '[shutdown] MPClient: engine manager stopped'),
  api('core_client.py:775', '[shutdown] MPClient: cleaning up background resources'),
  api('core_client.py:777', '[shutdown] MPClient: complete'),
]
