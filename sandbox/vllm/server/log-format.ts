import { toRfc3339, type Us } from '../../world/time.ts'

/** One record of vLLM's log before it has a time. */
export interface LogRecord {
  /** `APIServer`, `EngineCore`, `Worker_TP0`; undefined for uvicorn's plain lines. */
  readonly process?: string
  readonly level?: 'INFO' | 'WARNING' | 'ERROR'
  /** File and line in vLLM 0.32: `core.py:133`. */
  readonly where?: string
  readonly text: string
}

/** Process ids as a container counts them, the same in every run, where the API server is process 1. */
export const ENGINE_PID_AFTER = 211
export const WORKER_PID_AFTER = 347

/** Lines as vLLM 0.32 writes them: `(APIServer pid=1) INFO 01-01 00:00:12 [model.py:733] …`, each line with its prefix. */
// follows vllm/logging_utils/formatter.py and vllm/utils/system_utils.py decorate_logs
export function formatRecord(record: LogRecord, at: Us, apiServerPid = 1): string[] {
  const lines = record.text.split('\n')
  if (record.process === undefined) return lines
  const pid = apiServerPid + pidAfter(record.process)
  const time = toRfc3339(at)
  const stamp = `${time.slice(5, 10)} ${time.slice(11, 19)}`
  const level = record.level === undefined ? '' : `${record.level} ${stamp} [${record.where}] `
  return lines.map((line) => `(${record.process} pid=${pid}) ${level}${line}`)
}

function pidAfter(process: string): number {
  if (process === 'APIServer') return 0
  return process === 'EngineCore' ? ENGINE_PID_AFTER : WORKER_PID_AFTER + Number(/\d+$/.exec(process)?.[0] ?? 0)
}
