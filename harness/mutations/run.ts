import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type Case, casesOf, type Good, goodOf, readScenarios } from './cases.ts'
import { page } from './page.ts'
import { type Done, summary } from './summary.ts'
import { compare } from './tally.ts'
import type { Got } from './try-case.ts'
import type { CaseReply, CaseRequest } from './worker.ts'

/**
 * One-field changes of the good sample platforms, and whether the verdict follows them:
 * `npm run mutate -- [--jobs 2] [--only SCENARIO] [--row TEXT] [--verbose] [--write]`. `--write` keeps the table of a whole run in docs/reference/mutations.md.
 */
const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '2' },
    only: { type: 'string' },
    row: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})

const PAGE = new URL('../../docs/reference/mutations.md', import.meta.url)

async function main(): Promise<number> {
  const scenarios = (await readScenarios()).filter(({ slug }) => !values.only || slug === values.only)
  const goods = scenarios.flatMap(({ slug }) => goodOf(slug))
  const unchanged = await spread(goods)
  const left = goods.filter((_, i) => unchanged[i]!.outcome !== 'PASS')
  const cases = goods
    .filter((good) => !left.includes(good))
    .flatMap(casesOf)
    .filter(({ row }) => !values.row || row.what.includes(values.row))
  const got = await spread(cases)
  const done = cases.map((one, i): Done => ({ ...one, got: got[i]!, agreement: compare(one.expected, got[i]!) }))
  if (values.verbose) for (const one of done) console.log(line(one))
  for (const { scenario, platform } of left) console.log(`left out: ${scenario}/good/${platform} does not pass itself`)
  console.log(summary(done))
  if (values.write && !values.only && !values.row) writeFileSync(PAGE, page(done, left.map(nameOf)))
  return done.some(({ agreement }) => agreement.startsWith('false')) ? 1 : 0
}

const nameOf = ({ scenario, platform }: Good): string => `${scenario}/good/${platform}`

const line = ({ agreement, scenario, platform, row, to, expected, got }: Done): string =>
  `${agreement}: ${scenario}/${platform}: ${row.what} → ${to}: expected ${expected}, got ${got.outcome} ${got.because}`

/** Tries them on threads, the next on whichever is free. */
async function spread(platforms: readonly Pick<Case, 'scenario' | 'files' | 'beside'>[]): Promise<Got[]> {
  const got: Got[] = []
  const left = platforms.entries()
  const thread = async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    for (const [index, { scenario, files, beside }] of left) {
      got[index] = await ask(worker, { index, scenario, files, beside })
      if ((index + 1) % 100 === 0) console.error(`${index + 1} of ${platforms.length}`)
    }
    await worker.terminate()
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, thread))
  return got
}

function ask(worker: Worker, request: CaseRequest): Promise<Got> {
  return new Promise((resolve, reject) => {
    worker.once('message', ({ got }: CaseReply) => {
      worker.off('error', reject)
      resolve(got)
    })
    worker.once('error', reject)
    worker.postMessage(request)
  })
}

process.exitCode = await main()
