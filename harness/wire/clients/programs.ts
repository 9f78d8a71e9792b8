import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from '../../../sandbox/tiers/control-plane/cache.ts'

const run = promisify(execFile)
const QUIET = { maxBuffer: 64 << 20 }

/** Python’s client of OpenAI, and the version that is known to work. */
const OPENAI = 'openai==3.54.0'

/** A Python that has the openai package; installed into the cache when it is absent. Undefined: there is none, nor a way to have it. */
export async function pythonWithOpenai(): Promise<string | undefined> {
  const folder = join(cacheFolder(), `python-${OPENAI.replace('==', '-')}`)
  const program = join(folder, 'bin/python')
  if (existsSync(join(folder, 'installed'))) return program
  try {
    await run('python3', ['-m', 'venv', folder], QUIET)
    await run(program, ['-m', 'pip', 'install', '-q', OPENAI], QUIET)
    await mkdir(join(folder, 'installed'))
    return program
  } catch {
    return undefined
  }
}

export interface PrometheusPrograms {
  readonly prometheus: string
  readonly promtool: string
}

/** Prometheus and promtool: those of the PATH, or Debian’s package unpacked into the cache. Undefined: there are none. */
export async function prometheusPrograms(): Promise<PrometheusPrograms | undefined> {
  const onPath = await run('promtool', ['--version']).then(
    () => true,
    () => false,
  )
  if (onPath) return { prometheus: 'prometheus', promtool: 'promtool' }
  const folder = join(cacheFolder(), 'prometheus-debian')
  const programs = { prometheus: join(folder, 'usr/bin/prometheus'), promtool: join(folder, 'usr/bin/promtool') }
  if (existsSync(programs.promtool)) return programs
  try {
    await mkdir(folder, { recursive: true })
    await run('apt-get', ['download', 'prometheus'], { ...QUIET, cwd: folder })
    const deb = (await readdir(folder)).find((name) => name.endsWith('.deb'))!
    await run('dpkg', ['-x', deb, '.'], { cwd: folder })
    return existsSync(programs.promtool) ? programs : undefined
  } catch {
    return undefined
  }
}
