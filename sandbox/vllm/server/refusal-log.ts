import type { Refusal } from '../memory/refusal.ts'
import type { LogRecord } from './log-format.ts'

/** What a refused start prints: the exception where it is raised, and what the API server makes of it. */
export function refusalLog(refusal: Refusal, worker: string): readonly LogRecord[] {
  if (refusal.stage === 'config') return configError(refusal)
  const inWorker = refusal.stage !== 'kv-cache' && worker !== 'EngineCore'
  const where = inWorker ? 'multiproc_executor.py:953' : 'core.py:1510'
  const process = inWorker ? worker : 'EngineCore'
  const error = (text: string): LogRecord => ({ process, level: 'ERROR', where, text })
  return [
    error(inWorker ? 'WorkerProc failed to start.' : 'EngineCore failed to start.'),
    error('Traceback (most recent call last):'),
    error(exceptionText(refusal)),
    { process: 'APIServer', text: 'Traceback (most recent call last):' },
    {
      process: 'APIServer',
      text: 'RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}',
    },
  ]
}

const exceptionText = ({ exception, message }: Refusal): string =>
  message === '' ? exception : `${exception}: ${message}`

/** Errors of config classes come wrapped by pydantic. */
function configError(refusal: Refusal): LogRecord[] {
  const { config, exception, message } = refusal
  const say = (text: string): LogRecord => ({ process: 'APIServer', text })
  if (config === undefined) return [say('Traceback (most recent call last):'), say(exceptionText(refusal))]
  const field = exception.startsWith('pydantic')
  const name = 'pydantic_core._pydantic_core.ValidationError'
  return [
    say('Traceback (most recent call last):'),
    say(`${name}: 1 validation error for ${config}`),
    say(
      field
        ? message
        : `  Value error, ${message} [type=value_error, input_value=ArgsKwargs(()), input_type=ArgsKwargs]`,
    ),
    say(
      `    For further information visit https://errors.pydantic.dev/2.13/v/${field ? /type=(\w+)/.exec(message)![1] : 'value_error'}`,
    ),
  ]
}
