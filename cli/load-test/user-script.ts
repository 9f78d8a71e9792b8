import { EXIT_CODES } from '../../harness/load/k6/exit.ts'
import { runUserScript, type UserScriptRun } from '../../harness/load/k6/user/run.ts'
import { wordsOf } from '../../harness/load/k6/user/words.ts'
import { objectiveText } from '../../harness/slo/objective.ts'
import { VERSION } from '../../harness/version.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'
import { jsonText } from '../reporters/json-text.ts'
import { shown } from '../reporters/shown.ts'
import { style } from '../style.ts'
import { type LoadTestOptions, settingsOf } from './options.ts'
import { reach } from './reach.ts'
import { subjectOf } from './subject.ts'

/** What a script of the user's decides by itself. */
const ITS_OWN = [
  'rate',
  'duration',
  'warmUp',
  'timeout',
  'maxOpen',
  'maxDelay',
  'samePrompts',
  'naturalEnds',
  'out',
] as const

/** Runs a k6 script of the user's against a server, with the SLOs as thresholds as far as k6's own metrics go. Returns the exit code. */
export async function loadByScript(
  what: string,
  script: string,
  options: LoadTestOptions,
  args: readonly string[],
): Promise<number> {
  const given = ITS_OWN.find((name) => options[name] !== undefined)
  if (given)
    throw new UsageError(
      'BAD_OPTION',
      `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} says nothing to a script of yours`,
      'Write it into the script, or give k6 its own arguments: seatrial load URL --k6 script.js -- --duration 1m',
    )
  const settings = settingsOf(options)
  const { url, slos, model } = await subjectOf(what, options, settings)
  const reached = await reach(url, { ...options, apiKey: settings.apiKey, model: options.model ?? model })
  const baseUrl = reached.server.base.href.replace(/\/$/, '')
  const json = options.json || options.output === 'json'
  process.stderr.write(style.dim(`${shown(script)} with BASE_URL=${baseUrl} MODEL=${shown(reached.model)}\n`))
  const run = await untilDone((signal) =>
    runUserScript({
      script,
      env: { BASE_URL: baseUrl, MODEL: reached.model },
      slos,
      args,
      onLine: (line) => (json ? process.stderr : process.stdout).write(`${line}\n`),
      onLog: (line) => process.stderr.write(`${line}\n`),
      signal,
    }),
  )
  if (json) process.stdout.write(`${jsonText(resultOf(run, baseUrl, reached.model))}\n`)
  else for (const line of wordsOf(run)) process.stdout.write(`${shown(line)}\n`)
  return run.invalid ? exitCodes.undecided : EXIT_CODES[run.end]
}

const resultOf = ({ k6, end, text, summary, invalid, unmeasured }: UserScriptRun, url: string, model: string) => ({
  schemaVersion: 1,
  version: VERSION,
  sender: 'k6 script',
  k6: { version: k6.version, path: k6.path },
  url,
  model,
  end,
  text,
  invalid,
  summary,
  notJudged: unmeasured.map(objectiveText),
})

/** Ctrl-C ends k6 in good order; a second one ends at once. */
async function untilDone<T>(use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted)
    stop.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  try {
    return await use(stop.signal)
  } finally {
    for (const signal of signals) process.off(signal, onSignal)
  }
}
