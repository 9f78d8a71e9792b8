import type { Difference } from './compare.ts'
import { metricsOutline, oddSamples } from './metrics-outline.ts'
import type { WireAnswer } from './recording.ts'
import type { Relaxation } from './relaxations.ts'

/** Texts of `/metrics`: families, types, help, labels, buckets, and their order. `handlers` are those whose HTTP metrics count. */
export function compareMetrics(
  expected: WireAnswer,
  actual: string,
  handlers: ReadonlySet<string> | undefined,
  used: Set<Relaxation>,
): readonly Difference[] {
  used.add('samples')
  const [one, other] = [expected.outline ?? metricsOutline(expected.body ?? ''), metricsOutline(actual)].map((lines) =>
    lines.filter((line) => counts(line, handlers, used)).map((line) => free(line, used)),
  ) as [string[], string[]]
  const odd = oddSamples(actual).map((line) => ({ where: 'sample', expected: 'a float', actual: line }))
  const missing = one.filter((line) => !other.includes(line))
  const more = other.filter((line) => !one.includes(line))
  if (missing.length > 0 || more.length > 0) return [...odd, ...paired(missing, more)]
  const at = one.findIndex((line, i) => line !== other[i])
  return at < 0 ? odd : [...odd, { where: `line ${at + 1}`, expected: one[at]!, actual: other[at] ?? 'nothing' }]
}

/** A server that was asked more than is recorded has series of what else it was asked. */
function counts(line: string, handlers: ReadonlySet<string> | undefined, used: Set<Relaxation>): boolean {
  const handler = /^http_\w+\{.*?\bhandler="([^"]*)"/.exec(line)?.[1]
  if (handlers === undefined || handler === undefined || handlers.has(handler)) return true
  used.add('handlers')
  return false
}

/** Lines of one series that differ in some labels are told by these. */
function paired(missing: readonly string[], more: readonly string[]): Difference[] {
  const name = (line: string) => line.split('{')[0]!
  const single = (line: string, lines: readonly string[]) =>
    lines.filter((other) => name(other) === name(line)).length === 1
  const pair = (line: string) =>
    single(line, missing) && single(line, more) ? more.find((one) => name(one) === name(line)) : undefined
  const found = new Set(missing.map(pair).filter((line) => line !== undefined))
  return [
    ...missing.map((line): Difference => {
      const other = pair(line)
      if (other === undefined) return { where: 'line', expected: line, actual: 'nothing' }
      const [labels, others] = [line, other].map((text) => text.slice(name(text).length).split(/(?<="),/)) as [
        string[],
        string[],
      ]
      return {
        where: name(line),
        expected: labels.filter((label) => !others.includes(label)).join(', '),
        actual: others.filter((label) => !labels.includes(label)).join(', '),
      }
    }),
    ...more.filter((line) => !found.has(line)).map((line) => ({ where: 'line', expected: 'nothing', actual: line })),
  ]
}

/** Labels of the cache that the platform decides: its memory, and what vLLM chooses for a CPU. */
const PLATFORM =
  'kv_cache_max_concurrency|kv_cache_memory_bytes|kv_cache_size_tokens|num_gpu_blocks|num_cpu_blocks|mamba_ssm_cache_dtype|user_specified_block_size'

/** A line of an outline without the values of labels that are the machine’s. */
function free(line: string, used: Set<Relaxation>): string {
  const info = /^(python_info|vllm:cache_config_info|vllm_cache_config_info)\{/.exec(line)?.[1]
  if (info === undefined) return line
  used.add(info === 'python_info' ? 'python' : 'cacheConfig')
  const labels = info === 'python_info' ? String.raw`\w+` : PLATFORM
  return line.replace(new RegExp(`\\b(${labels})="[^"]*"`, 'g'), '$1="…"')
}
