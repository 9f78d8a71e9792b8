import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Slos } from '../../../slo/objective.ts'
import { ensureK6, type K6 } from '../binary/find.ts'
import { K6Error } from '../errors.ts'
import { endOf, endText, type K6End } from '../exit.ts'
import { inFolder } from '../folder.ts'
import { runProgram } from '../program.ts'
import { builtinThresholds } from '../thresholds.ts'
import { readSummary, type Summary } from './summary.ts'
import { usesSse, wrapperOf } from './wrapper.ts'

export interface UserScriptOptions {
  /** Path of the script, JavaScript or TypeScript. */
  readonly script: string
  /** What the script finds in `__ENV`: BASE_URL, MODEL. */
  readonly env: Readonly<Record<string, string>>
  readonly slos: Slos
  /** Further arguments of `k6 run`. */
  readonly args?: readonly string[]
  /** What k6 prints. */
  readonly onLine: (line: string) => void
  readonly onLog: (line: string) => void
  readonly signal?: AbortSignal
}

/** What a run of a user's script came to. `invalid` says why it proves nothing, whatever k6 says. */
export interface UserScriptRun {
  readonly k6: K6
  readonly end: K6End
  /** In words. */
  readonly text: string
  readonly summary: Summary | undefined
  readonly invalid: string | undefined
  /** Objectives that no metric of k6 says anything about. */
  readonly unmeasured: Slos
}

/**
 * Runs a k6 script of the user's as it is, with the SLOs as thresholds of k6's own metrics: availability of `http_req_failed`, end-to-end
 * latency of `http_req_duration`. Fails with `K6Error`: K6_SCRIPT when the script cannot be read, and those of `ensureK6`.
 */
export async function runUserScript(options: UserScriptOptions): Promise<UserScriptRun> {
  const script = resolve(options.script)
  const source = await readFile(script, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new K6Error('K6_SCRIPT', `cannot read ${script}: ${error.code}`, 'Give the path of a k6 script.')
  })
  const k6 = await ensureK6(usesSse(source) ? 'any' : 'nothing')
  const { thresholds, unmeasured } = builtinThresholds(options.slos)
  return await inFolder(async (folder) => {
    const wrapper = join(folder, 'wrapper.js')
    const exported = join(folder, 'summary.json')
    await writeFile(wrapper, wrapperOf(pathToFileURL(script).href, thresholds))
    const { code, said } = await runProgram({
      k6,
      args: ['--summary-export', exported, ...(options.args ?? []), wrapper],
      env: options.env,
      ownSettings: true,
      onLine: options.onLine,
      onLog: options.onLog,
      ...(options.signal ? { signal: options.signal } : {}),
    })
    const summary = await readFile(exported, 'utf8').then(readSummary, () => undefined)
    // a script that cannot even be started has no code of its own in k6
    const end = summary === undefined && code !== null && endOf(code) === 'broken' ? 'bad-script' : endOf(code)
    return { k6, end, text: endText(code, said), summary, invalid: whyInvalid(end, summary), unmeasured }
  })
}

/** Below this share of the iterations that were due, the load was not the one asked for. */
const SENT_AT_LEAST = 0.99

/** k6 passes thresholds that have no samples: a script that sent nothing holds every one. */
export function whyInvalid(end: K6End, summary: Summary | undefined): string | undefined {
  if (end !== 'ended' && end !== 'slo-breached') return undefined
  if (!summary) return 'k6 wrote no summary'
  if (summary.requests === 0) return 'the script sent no HTTP request, so that no threshold had anything to judge'
  const due = summary.iterations + summary.dropped
  if (summary.dropped > (1 - SENT_AT_LEAST) * due)
    return `k6 dropped ${summary.dropped} of ${due} iterations: too few virtual users for the rate (preAllocatedVUs, maxVUs)`
  return undefined
}
