import type { LogRecord } from './log-format.ts'

/** What the API server and the engine print when SIGTERM arrives. */
export function shutdownLog(timeoutSeconds: number, openRequests: number): readonly LogRecord[] {
  const mode = timeoutSeconds > 0 ? 'drain' : 'abort'
  const api = (where: string, text: string): LogRecord => ({ process: 'APIServer', level: 'INFO', where, text })
  const core = (where: string, text: string): LogRecord => ({ process: 'EngineCore', level: 'INFO', where, text })
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
    core('core.py:1635', `[shutdown] EngineCore: start mode=${mode} timeout=${timeoutSeconds}s`),
    ...(openRequests > 0 ? [inFlight] : []),
  ]
}
