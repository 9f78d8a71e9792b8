import { fileURLToPath } from 'node:url'
import { type Comparison, type Difference, type Side, unexplained } from '../harness/parity/comparison.ts'
import { deviations } from '../harness/parity/deviations.ts'
import { knownCause } from '../harness/parity/known-causes.ts'
import { keptResults } from '../harness/parity/results.ts'
import { streams } from '../harness/parity/streams/index.ts'
import { formatDuration, toSeconds, type Us } from '../sandbox/world/time.ts'
import { NOTE, type Output, ROOT } from './outputs.ts'

/** `docs/reference/parity.md`: what came of the same trials on two tiers, and where ours decides otherwise than upstream. */
export function parityPage(): Output {
  const results = keptResults(fileURLToPath(new URL('harness/parity/results', ROOT))).map(withKnownCauses)
  const sections = [
    intro(),
    ...(results.length > 0 ? [verdicts(results), decisions(results), differences(results)] : []),
    deviationsSection(),
    lagSection(),
    jsonSection(),
  ]
  return { path: 'docs/reference/parity.md', text: `<!-- ${NOTE} -->\n${sections.join('\n\n')}\n` }
}

/** A cause may have got its name since the trials ran. */
const withKnownCauses = (result: Comparison): Comparison => ({
  ...result,
  differences: result.differences.map((one) => {
    const because = knownCause(result.scenario, one) ?? one.because
    return because ? { ...one, because } : one
  }),
})

const intro = (): string => `# Parity: what two tiers decide differently

\`seatrial parity\` runs the same trials (platform, seed, load, faults) on two tiers, reads every decision out of both journals and brings
them together. Pods go by the workload that made them, ReplicaSets by the order they came in, nodes by labels, taints and capacity. A decision is
on both tiers when it is the same one; how far the two are apart is counted since the phase of the trial began (manifests applied, settling,
timeline, converging).

\`\`\`sh
npx seatrial parity                            # a good and a bad sample of every scenario, on sim and local
npx seatrial parity node-lost deploy/          # a scenario on your platform
npx seatrial parity --tiers sim,sim:instant    # what only lag shows
\`\`\`

A tier in wall time takes as long as the trial says; how long is told before it begins, and \`--jobs N\` runs N at once. Exit codes: 1 when a verdict
differs (the outcome, or the cause a failure is told with), 5 when one tier has a verdict and the other has none or broke down, 3 when a tier
cannot run here, 0 otherwise: decisions that differ under equal verdicts are told and are no failure.

| stream | what is compared |
|---|---|
${streams.map(({ name, compares }) => `| ${name} | ${compares} |`).join('\n')}

Differences are explained by **chance** (over ten seeds the first tier itself decides as often or as rarely, or at times as far apart), as what **follows** from
an earlier difference of as much time, or by a cause that is **known** by name. The others are listed as unexplained.`

function verdicts(results: readonly Comparison[]): string {
  const rows = results.map(({ scenario, sample, sides, verdict, streams, differences }) => {
    const sum = (of: (one: (typeof streams)[number]) => number) => streams.reduce((total, one) => total + of(one), 0)
    const mark = { same: '✓', differs: '✗', undecided: '?' }[verdict]
    const [a, b] = sides.map(sideText)
    const both = sum((one) => one.both)
    return `| ${mark} | ${scenario} | ${sample} | ${a} | ${b} | ${formatDuration(sides[1].lastedUs)} | ${both} | ${sum((one) => one.onlyA)} | ${sum((one) => one.onlyB)} | ${sum((one) => one.late)} | ${unexplained(differences).length} |`
  })
  const same = results.filter(({ verdict }) => verdict === 'same').length
  const [a, b] = results[0]!.sides
  return `## Verdicts: ${same} of ${results.length} the same

Seed ${results[0]!.seed}. *Late*: on both, further apart than the period that governs the decision, and a second, which the begin of a phase is known to. Trials that were
INVALID because the machine was too slow for wall time (\`MACHINE_TOO_SLOW\`) were run again; the files are \`harness/parity/results\`.

| | scenario | sample | ${a.tier} | ${b.tier} | took | on both | only ${a.tier} | only ${b.tier} | late | unexplained |
|---|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}`
}

const sideText = ({ outcome, causes, invalid, skipped }: Side): string =>
  [outcome, outcome === 'FAIL' ? causes[0] : (skipped ?? invalid[0])].filter(Boolean).join(' ')

function decisions(results: readonly Comparison[]): string {
  const rows = streams.flatMap(({ name }) => {
    const own = results.flatMap((result) => result.streams.filter(({ stream }) => stream === name))
    const sum = (of: (one: (typeof own)[number]) => number) => own.reduce((total, one) => total + of(one), 0)
    if (sum(({ both, onlyA, onlyB }) => both + onlyA + onlyB) === 0) return []
    const medians = own.flatMap(({ offsets }) => offsets?.medianUs ?? []).sort((x, y) => Math.abs(x) - Math.abs(y))
    const p95s = own.flatMap(({ offsets }) => offsets?.p95Us ?? [])
    const maxs = own.flatMap(({ offsets }) => offsets?.maxUs ?? [])
    const cells = [medians[medians.length >> 1], largest(p95s), largest(maxs)].map(secondsText)
    return [
      `| ${name} | ${sum((one) => one.both)} | ${sum((one) => one.onlyA)} | ${sum((one) => one.onlyB)} | ${cells.join(' | ')} | ${sum((one) => one.late)} |`,
    ]
  })
  return `## Decisions

Offsets are from the first tier to the second: the median of the trials' medians, the largest of their 95th percentiles, the largest of all.

| stream | on both | only ${results[0]!.sides[0].tier} | only ${results[0]!.sides[1].tier} | median | p95 | max | late |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}`
}

const largest = (offsets: readonly Us[]): Us | undefined =>
  offsets.reduce<Us | undefined>((most, one) => (Math.abs(one) > Math.abs(most ?? 0) ? one : (most ?? one)), undefined)

const secondsText = (us: Us | undefined): string => (us === undefined ? '' : `${toSeconds(us).toFixed(2)} s`)

function differences(results: readonly Comparison[]): string {
  const all = results.flatMap(({ scenario, sample, sides, differences: own }) =>
    own.map((one) => ({ scenario, sample, sides, one })),
  )
  const known = Map.groupBy(
    all.filter(({ one }) => one.because?.sort === 'known'),
    ({ one }) => one.because!.text,
  )
  const count = (sort: string) => all.filter(({ one }) => one.because?.sort === sort).length
  const open = all.filter(({ one }) => !one.because)
  return [
    `## Differences

${all.length} in all: ${count('chance')} by chance, ${count('follows')} follow from others, ${count('known')} have a known cause, ${open.length} are unexplained.`,
    ...(known.size > 0
      ? [
          `| known cause | differences | for example |\n|---|---|---|\n${[...known].map(([why, ones]) => `| ${why} | ${ones.length} | ${ones[0]!.scenario} ${ones[0]!.sample}: ${differenceText(ones[0]!)} |`).join('\n')}`,
        ]
      : []),
    ...(open.length > 0
      ? [
          `| unexplained in | difference |\n|---|---|\n${open.map((found) => `| ${found.scenario} ${found.sample} | ${differenceText(found)} |`).join('\n')}`,
        ]
      : []),
  ].join('\n\n')
}

function differenceText({ one, sides }: { one: Difference; sides: readonly [Side, Side] }): string {
  const { sort, stream, what, times, phase, intoUs, offsetUs, period } = one
  const how =
    sort === 'late'
      ? `${secondsText(offsetUs)} apart (${period!.name}: ${secondsText(period!.us)})`
      : `only ${sides[sort === 'only-a' ? 0 : 1].tier}${times > 1 ? `, ${times} times` : ''}`
  return `${stream} ${phase}+${formatDuration(intoUs)} «${what.replaceAll('|', '\\|')}» ${how}`
}

const deviationsSection = (): string => `## Deviations of actors from upstream

Found by the oracles, which ask the real code (\`npm run test:oracles\`), and left so.

| actor | ours | upstream | why | source |
|---|---|---|---|---|
${deviations
  .toSorted((x, y) => (x.area < y.area ? -1 : x.area > y.area ? 1 : 0))
  .map(
    ({ area, ours, upstream, why, file }) =>
      `| ${[area, ours, upstream, why, `\`${file}\``].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  )
  .join('\n')}`

const lagSection = (): string => `## A lag profile of your own

How far behind informers are, and how long requests take, is simulated from a profile measured on one machine (\`sandbox/kube/profiles/measured.ts\`).
\`npx seatrial parity --fit-lag --write ours.json\` starts a real control plane here, measures it for some seven minutes and writes another;
\`verify\`, \`run\` and \`parity\` take it as \`--lag ours.json\`. The file (JSON or YAML) holds \`schemaVersion: 1\`, \`name\`, and \`watchDelayUs\`, \`readUs\`,
\`writeUs\`: pairs of probability and microseconds, both rising, from probability 0 to 1. \`clients\` may set limits by process
(\`{ "kubelet": { "qps": 50, "burst": 100 } }\`); upstream's defaults hold for the others. What is wrong in it is told with file, line and column.
What is measured and how noisy it is: [harness/bench/lag](../../harness/bench/lag/README.md).`

const jsonSection = (): string => `## As JSON

\`seatrial parity --json\` prints \`{ schemaVersion: 1, comparisons, failed }\`; \`--keep FOLDER\` writes each comparison into a file as soon as it is known, and
\`--missing\` goes on with what a folder lacks. A comparison:

| field | what |
|---|---|
| \`scenario\`, \`sample\`, \`subject\`, \`seed\` | the trial; \`sample\` is the inference server where manifests were given |
| \`sides[]\` | \`tier\`, \`outcome\`, \`causes\` (codes of what broke, in the order of time), \`invalid\` (codes), \`skipped\`, \`requests\`, \`lastedUs\`, \`phasesUs\` |
| \`verdict\` | \`same\`, \`differs\`, \`undecided\` |
| \`streams[]\` | \`stream\`, \`both\`, \`onlyA\`, \`onlyB\`, \`late\`, \`afterEnd\` (made when the other trial had ended: no difference), \`offsets\` (\`medianUs\`, \`p95Us\`, \`maxUs\`; with a sign, ranked by size) |
| \`differences[]\` | \`sort\` (\`only-a\`, \`only-b\`, \`late\`), \`stream\`, \`what\`, \`times\`, \`phase\`, \`intoUs\`, \`offsetUs\`, \`period\` (\`name\`, \`us\`), \`because\` (\`sort\`, \`text\`; absent: unexplained) |

Names that end in \`Us\` are microseconds. \`--journals FOLDER\` writes both journals of every trial.`
