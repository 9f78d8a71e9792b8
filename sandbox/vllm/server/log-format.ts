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

/** Process ids as a container counts them; the same in every run. */
const PIDS: Record<string, number> = { APIServer: 1, EngineCore: 212, Worker: 348 }

/** Lines as vLLM 0.32 writes them: `(APIServer pid=1) INFO 01-01 00:00:12 [model.py:733] …`, each line with its prefix. */
// follows vllm/logging_utils/formatter.py and vllm/utils/system_utils.py decorate_logs
export function formatRecord(record: LogRecord, at: Us): string[] {
  const lines = record.text.split('\n')
  if (record.process === undefined) return lines
  const pid = PIDS[record.process] ?? PIDS['Worker']! + Number(/\d+$/.exec(record.process)?.[0] ?? 0)
  const time = toRfc3339(at)
  const stamp = `${time.slice(5, 10)} ${time.slice(11, 19)}`
  const level = record.level === undefined ? '' : `${record.level} ${stamp} [${record.where}] `
  return lines.map((line) => `(${record.process} pid=${pid}) ${level}${line}`)
}
