import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cacheFolder, PART } from '../../../../sandbox/tiers/control-plane/cache.ts'
import { withLock } from '../../../../sandbox/tiers/control-plane/lock.ts'
import { ownedName } from '../../../../sandbox/tiers/control-plane/owned-names.ts'
import { Steps } from '../../../../sandbox/tiers/control-plane/steps.ts'
import { K6Error } from '../errors.ts'
import { watched } from './watched.ts'

/** The Go module of our k6. */
export const MODULE = fileURLToPath(new URL('../extension', import.meta.url))

/** Lines of Go that an error shows. */
const LINES_SHOWN = 25
const PROGRESS_EVERY_MS = 15_000

/** Where our k6 is kept, under a name that says what it is built from. */
export const builtK6 = (): string => join(cacheFolder(), `k6-${digest()}`, 'k6')

/**
 * Builds k6 with our extension into the cache, with progress on stderr: 2 to 9 minutes where Go has compiled nothing of it. Of several
 * processes one builds and the others wait. Fails with `K6Error` K6_BUILD, which carries the last lines of Go.
 */
export async function buildK6(isThere: (path: string) => Promise<boolean>): Promise<string> {
  const program = builtK6()
  const folder = join(program, '..')
  mkdirSync(folder, { recursive: true })
  return await withLock(
    folder,
    async () => {
      if (!(await isThere(program))) {
        await compile(program)
        removeOlder(folder)
      }
      return program
    },
    ({ pid }) => new Steps().line(`waiting for another seatrial (process ${pid}), which builds k6`),
  )
}

/** Of all that is compiled. */
function digest(): string {
  const hash = createHash('sha256')
  const sources = readdirSync(MODULE, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(\.go|^go\.(mod|sum))$/.test(file) && !file.endsWith('_test.go'))
    .sort()
  for (const file of sources) hash.update(file).update(readFileSync(join(MODULE, file)))
  return hash.digest('hex').slice(0, 12)
}

/** The program appears under its name only when it is whole. */
async function compile(program: string): Promise<void> {
  const part = join(program, '..', `${ownedName(PART)}build`)
  mkdirSync(part, { recursive: true })
  const steps = new Steps()
  const text = 'building k6 with Go'
  steps.begin(`${text}; minutes when nothing of it is compiled yet`)
  const output = join(part, 'k6')
  const build = watched('go', ['build', '-v', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', output, '.'], {
    cwd: MODULE,
    env: { ...process.env, GOWORK: 'off', GOTMPDIR: part },
  })
  const errors: string[] = []
  let packages = 0
  createInterface({ input: build.child.stderr! }).on('line', (line) => {
    if (/^[\w.~/-]+$/.test(line)) packages++
    else if (!/^go: downloading/.test(line)) errors.push(line)
    steps.now(`${text}: ${packages} packages  ${steps.seconds.toFixed(0)}s`)
  })
  build.child.stdout!.resume()
  const progress = process.stderr.isTTY
    ? undefined
    : setInterval(() => steps.line(`${text}: ${packages} packages`), PROGRESS_EVERY_MS)
  try {
    const code = await build.code
    if (code !== 0)
      throw new K6Error(
        'K6_BUILD',
        `building k6 ended with ${code}:\n${errors.slice(-LINES_SHOWN).join('\n')}`,
        'Point SEATRIAL_K6 at a k6 that has it, or send the load without k6.',
      )
    renameSync(output, program)
    steps.end('built k6')
  } finally {
    clearInterval(progress)
    rmSync(part, { recursive: true, force: true })
  }
}

function removeOlder(folder: string): void {
  for (const name of readdirSync(cacheFolder()))
    if (/^k6-[0-9a-f]{12}$/.test(name) && join(cacheFolder(), name) !== folder)
      rmSync(join(cacheFolder(), name), { recursive: true, force: true })
}
