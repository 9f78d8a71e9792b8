import { access, constants, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { PromptMaker } from '../../harness/load/http/prompt.ts'
import { ENDPOINT_PATHS, prepared, scheduled } from '../../harness/load/http/requests.ts'
import type { LoadRecord, SendingLoad, SendOptions } from '../../harness/load/http/sender.ts'
import { prefixCache, type ServerOptions, under } from '../../harness/load/http/server.ts'
import { expectedHits } from '../../harness/load/results/expected-hits.ts'
import { judgeLoad } from '../../harness/load/results/judge.ts'
import { watchLoop } from '../../harness/load/results/loop-delay.ts'
import { Distribution } from '../../harness/load/results/percentiles.ts'
import { summarise } from '../../harness/load/results/summary.ts'
import type { Workload } from '../../harness/load/workload.ts'
import { limitsOf, type Slos } from '../../harness/slo/objective.ts'
import { VERSION } from '../../harness/version.ts'
import type { Us } from '../../sandbox/world/time.ts'
import { exitCodes } from '../exit-codes.ts'
import { UsageError } from '../failure.ts'
import { type LoadTestOptions, type LoadTestSettings, settingsOf } from '../load-test/options.ts'
import { LoadProgress } from '../load-test/progress.ts'
import { type Reached, reach, vocabularyOf } from '../load-test/reach.ts'
import { type LoadResult, outFile } from '../load-test/result.ts'
import { type LoadSubject, subjectOf } from '../load-test/subject.ts'
import { jsonText } from '../reporters/json-text.ts'
import { loadTestLines } from '../reporters/load-test.ts'
import { shown } from '../reporters/shown.ts'
import { style } from '../style.ts'

/** Sends a workload's requests to a server, and judges it by its SLOs. */
export async function loadTest(
  what: string,
  options: LoadTestOptions,
  k6Args: readonly string[] = [],
): Promise<number> {
  if (options.k6 !== undefined)
    return (await import('../load-test/user-script.ts')).loadByScript(what, options.k6, options, k6Args)
  if (k6Args.length > 0)
    throw new UsageError(
      'BAD_OPTION',
      `what is «${k6Args[0]}»?`,
      'Arguments of k6 go with a script: --k6 script.js -- …',
    )
  const settings = settingsOf(options)
  const subject = await subjectOf(what, options, settings)
  if (options.out !== undefined) await checkOut(options.out)
  const reached = await reach(subject.url, {
    ...options,
    apiKey: settings.apiKey,
    model: options.model ?? subject.model,
  })
  const { result, records } = await run({ options, settings, subject, reached })
  if (options.out !== undefined) await writeFile(options.out, outFile(result, records))
  if (options.json || options.output === 'json') process.stdout.write(`${jsonText(result)}\n`)
  else for (const line of loadTestLines(shown(result))) process.stdout.write(`${line}\n`)
  if (result.interruptedAt !== undefined) return exitCodes.interrupted
  return { PASS: exitCodes.pass, FAIL: exitCodes.sloBreached, INVALID: exitCodes.undecided }[result.verdict.outcome]
}

interface Run {
  readonly options: LoadTestOptions
  readonly settings: LoadTestSettings
  readonly subject: LoadSubject
  readonly reached: Reached
}

async function run(given: Run): Promise<{ result: LoadResult; records: readonly LoadRecord[] }> {
  const { options, settings, subject, reached } = given
  const { server, model } = reached
  const { seed, warmUpUs, maxOpen, maxDelayUs } = settings
  const { endpoint, sender } = options
  const workload = withinContext(subject, reached)
  const untilUs = warmUpUs + subject.durationUs
  const plan = () => scheduled(workload, { seed, server: subject.server, untilUs })
  const vocabulary = await vocabularyOf(reached, endpoint)
  const salt = options.samePrompts ? seed : Date.now() % 2 ** 31
  const before = await prefixCache(server)
  const records: LoadRecord[] = []
  const gaps = new Distribution()
  const progress = new LoadProgress(untilUs)
  const loopDelay = sender === 'http' ? watchLoop() : undefined
  process.stderr.write(
    style.dim(`${shown(model)} at ${reached.server.base.href}: ${subject.workloadName}, seed ${seed}\n`),
  )
  const load = await begin(
    sender,
    { slos: subject.slos, judgedFromUs: warmUpUs },
    {
      target: { url: under(server.base, ENDPOINT_PATHS[endpoint]), headers: server.headers },
      requests: prepared(plan(), {
        prompts: new PromptMaker(vocabulary, salt),
        ...{ model, endpoint, naturalEnds: options.naturalEnds ?? false },
      }),
      seed,
      server: subject.server,
      retry: workload.retry,
      maxOpen,
      keepAlive: options.keepAlive,
      ended(record) {
        if (record.intendedAt >= warmUpUs) for (const gap of record.itlUs) gaps.add(gap)
        // a gap for each token is much to keep where nobody asked for it
        records.push(options.out === undefined ? { ...record, itlUs: [] } : record)
        progress.add(record)
      },
    },
  )
  progress.begin(load)
  const interruptedAt = await untilDone(load).finally(() => progress.end())
  const loopDelayP99Us = loopDelay?.()
  const window = {
    fromUs: warmUpUs,
    untilUs: interruptedAt === undefined ? untilUs : Math.min(untilUs, Math.max(interruptedAt, warmUpUs)),
  }
  const limits = limitsOf(subject.slos)
  const summary = summarise(records, window, { limits, slackUs: maxDelayUs, gaps })
  const judged = records.filter(({ intendedAt }) => intendedAt >= window.fromUs && intendedAt < window.untilUs)
  records.sort((a, b) => a.intendedAt - b.intendedAt)
  const result: LoadResult = {
    ...{ schemaVersion: 1, version: VERSION, sender, url: server.base.href, model, endpoint },
    ...{ server: subject.server, workload: subject.workloadName, traffic: workload, seed, salt, warmUpUs },
    durationUs: window.untilUs - window.fromUs,
    interruptedAt,
    prompts: {
      source: vocabulary.source,
      overheadTokens: vocabulary.overheadTokens,
      leadingTokens: vocabulary.leadingTokens,
      tokensPerWord: vocabulary.tokensPerWord,
    },
    prefixCacheHits: { measured: await hitsSince(server, before), expected: expectedHits(plan()) },
    loopDelayP99Us,
    summary,
    verdict: judgeLoad(judged, summary, { slos: subject.slos, health: { loopDelayP99Us, maxOpen }, maxDelayUs }),
  }
  return { result, records }
}

/** Lengths that nobody gave are cut to what the server takes. */
const withinContext = ({ workload, lengthsAssumed }: LoadSubject, { maxModelLen }: Reached): Workload =>
  lengthsAssumed && maxModelLen !== undefined && workload.contextTokens === undefined
    ? { ...workload, contextTokens: maxModelLen }
    : workload

async function begin(
  sender: LoadTestOptions['sender'],
  judged: { readonly slos: Slos; readonly judgedFromUs: Us },
  options: SendOptions,
): Promise<SendingLoad> {
  if (sender === 'http') return (await import('../../harness/load/http/http-sender.ts')).sendOverHttp(options)
  if (options.retry) process.stderr.write('k6 sends each request once: what the workload says of retries is left out\n')
  const [{ startK6 }, { ensureK6 }] = await Promise.all([
    import('../../harness/load/k6/sender.ts'),
    import('../../harness/load/k6/binary/find.ts'),
  ])
  return startK6({ ...options, ...judged, k6: await ensureK6('ours') })
}

/** Waits for the end, or for Ctrl-C: then what is open is given up, and it says when. A second one ends at once. */
async function untilDone(load: SendingLoad): Promise<Us | undefined> {
  let interruptedAt: Us | undefined
  const onSignal = () => {
    if (interruptedAt !== undefined) process.exit(exitCodes.interrupted)
    interruptedAt = Math.max(0, load.now())
    load.stop()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  try {
    await load.done
    return interruptedAt
  } finally {
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/** Of the tokens looked for since: also others', where the server serves others. */
async function hitsSince(
  server: ServerOptions,
  before: Awaited<ReturnType<typeof prefixCache>>,
): Promise<number | undefined> {
  const after = before && (await prefixCache(server))
  const queries = after ? after.queries - before.queries : 0
  return queries > 0 ? (after!.hits - before!.hits) / queries : undefined
}

/** Before anything is sent: what was measured shall not be lost to a slip in a name. */
async function checkOut(file: string): Promise<void> {
  try {
    await access(dirname(resolve(file)), constants.W_OK)
    if ((await stat(file).catch(() => undefined))?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
  } catch (error) {
    const { code } = error as { code?: string }
    throw new UsageError(
      'BAD_OPTION',
      `--out: ${file} cannot be written (${code})`,
      'Name a file in a folder that is there.',
    )
  }
}
