import { alertNotes, surveyAlerts } from '../../harness/alerts/survey.ts'
import type { Judgeable, UncertainInput } from '../../harness/judgeable.ts'
import { listInputs } from '../../harness/platform/inputs/list.ts'
import { TrialPool } from '../../harness/pool/pool.ts'
import type { Threads } from '../../harness/pool/threads.ts'
import { digestsOf, type RunContent, runOf } from '../../harness/runs/run.ts'
import { RunStore } from '../../harness/runs/store.ts'
import type { Scenario } from '../../harness/scenario.ts'
import { mattersTo, nodesText } from '../../harness/uncertain-inputs.ts'
import { verify as verifyAll } from '../../harness/verify.ts'
import { VERSION } from '../../harness/version.ts'
import { Waivers } from '../../harness/waivers/waivers.ts'
import type { Tier } from '../../sandbox/tiers/tier.ts'
import { scenarios as all } from '../../scenarios/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { closeOnInterrupt } from '../interrupt.ts'
import { type Loaded, load, nothingToJudge } from '../load.ts'
import { replayLine } from '../replay.ts'
import { type Format, reporterFor } from '../reporters/index.ts'
import { inputText } from '../reporters/input-text.ts'
import { recorder } from '../reporters/recorder.ts'
import type { Overview, Totals } from '../reporters/reporter.ts'
import { selectScenarios, selectTargets } from '../select.ts'
import { jobsOf, seedsOf } from '../start-threads.ts'
import { style } from '../style.ts'
import { tierForTrials } from '../tiers.ts'
import { tierNotes, trialsOn } from '../trials-on.ts'

export interface VerifyOptions {
  only?: string[]
  target?: string[]
  /** Default: 5 on tier sim, 1 in wall time. */
  seeds?: string
  tier: string
  output: Format
  json?: boolean
  config?: string
  lag: string
  jobs?: string
  quiet?: boolean
  /** False: commands of seatrial.yaml are refused. */
  render?: boolean
  /** False: nothing is written. */
  save?: boolean
}

/** Judges every scenario that fits on every inference server of the manifests, in this thread and in the given ones. */
export async function verify(paths: readonly string[], options: VerifyOptions, threads: Threads): Promise<number> {
  const seeds = Array.from({ length: seedsOf(options) }, (_, i) => i + 1)
  const scenarios = selectScenarios(all, options.only)
  const jobs = jobsOf(options)
  using interrupt = closeOnInterrupt()
  const tier = interrupt.closing(await tierForTrials(options.tier))
  const loaded = await load(paths, { ...options, tier })
  const { platform, judgeables, unmodelled, lag } = loaded
  if (judgeables.length === 0 && unmodelled.length === 0) throw nothingToJudge(platform)
  const chosen = selectTargets(judgeables, options.target)
  const reporter = recorder(
    await reporterFor(options.json ? 'json' : options.output, { quiet: options.quiet ?? false }),
  )
  reporter.begin(overviewOf(loaded, chosen, { tier, scenarios, seeds }))
  using pool = new TrialPool({ platform, lag, size: jobs, threads, now: () => performance.now() })
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const trials = await trialsOn({ tier, pool, judgeables: chosen, scenarios, seeds, jobs, say })
  const startedAt = performance.now()
  const waivers = new Waivers(platform.config, new Date().toISOString().slice(0, 10))
  for (const invalid of unmodelled) {
    const subject = invalid.what.split(' ')[0]!
    reporter.verdict({ scenario: 'all scenarios', subject, outcome: 'INVALID', trials: [], invalid: [invalid] }, 0)
  }
  for await (const verdict of verifyAll({
    judgeables: chosen,
    scenarios,
    tier,
    seeds,
    attempt: trials.attempt,
    ...(trials.followUp ? { followUp: trials.followUp } : {}),
    ahead: Number.POSITIVE_INFINITY,
    trying: (scenario, judgeable) => reporter.trying?.(scenario.slug, judgeable.key),
    replay: (scenario, judgeable, seed, at) =>
      replayLine({
        scenario: scenario.slug,
        paths,
        config: options.config,
        lag: options.lag,
        tier: options.tier,
        seed,
        at,
        target: judgeables.length > 1 ? judgeable.key : undefined,
      }),
  })) {
    reporter.verdict(waivers.apply(verdict), trials.tookMs(verdict.scenario, verdict.subject))
  }
  const remarks = waivers.remarks()
  if (remarks.length > 0) reporter.waivers?.(remarks)
  const totals = reporter.totals(performance.now() - startedAt)
  reporter.end(totals)
  if (options.save !== false) save({ ...reporter.recorded(), ...whatWasRead(loaded), paths })
  return exitCode(totals)
}

function overviewOf(
  { platform, inputs }: Loaded,
  chosen: Loaded['judgeables'],
  { tier, scenarios, seeds }: { tier: Tier; scenarios: readonly Scenario[]; seeds: readonly number[] },
): Overview {
  const isAsked = (j: Judgeable, input: UncertainInput) =>
    input.origin === 'assumed' &&
    mattersTo(input, ...scenarios.filter((scenario) => j.unfitFor(scenario) === undefined))
  const assumed = new Map(
    chosen
      .flatMap((j) => j.uncertain.filter((input) => isAsked(j, input)))
      .map(({ name, value, howToGive }) => [`${name} ${value}`, { name, value, howToGive }]),
  )
  const alerts = surveyAlerts(platform)
  const { remarks } = alerts
  return {
    version: VERSION,
    name: platform.name,
    tier: tier.name,
    seeds,
    servers: chosen.map((j) => j.key),
    nodes: nodesText(inputs.nodes.value),
    scenarios: scenarios.map((s) => s.slug),
    assumed: [...assumed.values()],
    notes: [
      ...tierNotes(tier),
      ...new Set(chosen.flatMap((j) => j.taken)),
      ...platform.notes.map(({ file, message }) => `${file}: ${message}`),
      ...alertNotes(alerts),
    ],
    ...(remarks.length > 0 ? { alerts: remarks } : {}),
  }
}

/** For `report` and `diff`. A folder that cannot be written to is no reason to fail. */
function save(content: RunContent): void {
  try {
    const run = runOf(content, new Date().toISOString())
    new RunStore(process.cwd()).save(run)
    if (process.stderr.isTTY) process.stderr.write(style.dim(`kept as ${run.id} → npx seatrial report\n`))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    process.stderr.write(`the run was not kept in .seatrial/ (${code}); --no-save says that this is meant\n`)
  }
}

const whatWasRead = ({ platform, inputs }: Loaded): Pick<RunContent, 'inputs' | 'manifests'> => ({
  inputs: listInputs(inputs).map(({ key, name, input: { origin, value } }) => ({
    key,
    name,
    origin,
    text: inputText(key, value),
    value,
  })),
  manifests: digestsOf(platform),
})

/** A failure outweighs doubt; nothing judged at all is no pass. */
export function exitCode({ passed, failed, invalid, unstable, waived }: Totals): number {
  if (failed > 0) return exitCodes.fail
  if (invalid + unstable > 0) return exitCodes.undecided
  return passed + waived > 0 ? exitCodes.pass : exitCodes.nothingSelected
}
