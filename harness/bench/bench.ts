import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Case, cases, type Figures } from './cases.ts'
import { byPart, selfTimes } from './profile.ts'

/**
 * `npm run bench` prints a table of speeds, each with its spread; `-- --only NAME,…` of these alone; `-- --profile NAME` where one of
 * them spends its time instead. Medians of runs, each in a process of its own; on a shared machine CPU time says more than wall time.
 */
const root = fileURLToPath(new URL('../../', import.meta.url))
const { values } = parseArgs({ options: { only: { type: 'string' }, profile: { type: 'string' } } })
if (values.profile) profile(named(values.profile))
else {
  const chosen = values.only ? values.only.split(',').map(named) : cases
  console.log(machine())
  console.log('\n| case | figure | median | range | runs |\n|---|---|---|---|---|')
  for (const one of chosen) report(one)
  console.log()
  for (const { name, says } of chosen) console.log(`- **${name}**: ${says}`)
}

function named(name: string): Case {
  const found = cases.find((one) => one.name === name)
  if (found) return found
  console.error(`no case ${name}; there are ${cases.map((one) => one.name).join(', ')}`)
  process.exit(2)
}

function machine(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const { model } = cpus()[0]!
  return `${model}, ${cpus().length} cores, ${process.platform} ${process.arch}, Node ${process.versions.node}, commit ${commit}`
}

function report(one: Case): void {
  const runs = Array.from({ length: one.runs }, () => run(one))
  for (const { what, of, digits } of one.rows) {
    const sorted = runs.map(of).sort((a, b) => a - b)
    const text = (n: number) => n.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    const range = `${text(sorted[0]!)} – ${text(sorted.at(-1)!)}`
    console.log(`| ${one.name} | ${what} | ${text(median(sorted))} | ${range} | ${one.runs} |`)
  }
}

function run({ name, command: [program, ...args], measuresItself }: Case, flags: readonly string[] = []): Figures {
  const begun = process.hrtime.bigint()
  const { status, stdout, stderr } = spawnSync(program!, [...flags, ...args], { cwd: root, encoding: 'utf8' })
  const wallS = Number(process.hrtime.bigint() - begun) / 1e9
  if (status !== 0) throw new Error(`${name} ended with exit code ${status}\n${stderr}`)
  return measuresItself ? (JSON.parse(stdout.trim().split('\n').at(-1)!) as Figures) : { wallS }
}

function median(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
}

function profile(one: Case): void {
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-profile-'))
  try {
    run(one, ['--cpu-prof', `--cpu-prof-dir=${folder}`])
    const [file] = readdirSync(folder)
    const times = selfTimes(join(folder, file!), new URL('../../', import.meta.url).href)
    console.log(`${one.name}: self time, of ${machine()}`)
    for (const { where, share } of times.slice(0, 15)) console.log(percent(share, where))
    console.log('by part')
    for (const { where, share } of byPart(times).slice(0, 8)) console.log(percent(share, where))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function percent(share: number, where: string): string {
  return `${(share * 100).toFixed(1).padStart(5)} %  ${where}`
}
