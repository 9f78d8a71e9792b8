import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { PART } from './cache.ts'
import { ControlPlaneError } from './errors.ts'
import { ownedName } from './owned-names.ts'
import { ETCD_VERSION, type Program } from './releases.ts'
import { Steps } from './steps.ts'

/** Lines of Go that an error shows. */
const LINES_SHOWN = 25

/**
 * Builds programs from Go modules into a folder, with progress on stderr; about 6 minutes for all of them on two cores. The build ends when this
 * process does, however it ends. Fails with `ControlPlaneError` CONTROL_PLANE_BUILD, which carries the last lines of Go.
 */
export async function build(programs: readonly Program[], version: string, folder: string): Promise<void> {
  const work = join(folder, `${ownedName(PART)}build`)
  mkdirSync(work, { recursive: true })
  const script = fileURLToPath(new URL('./build.sh', import.meta.url))
  const child = spawn(script, [folder], {
    env: { ...process.env, K8S_VERSION: version, ETCD_VERSION, PROGRAMS: programs.join(' '), WORK: work, WATCHED: '1' },
    // a group of its own, which ends with our end of the pipe
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  child.stdin.on('error', () => {})
  const lines: string[] = []
  const shown = new Builds(programs.length)
  createInterface({ input: child.stderr }).on('line', (line) => {
    const name = /^building (\S+)$/.exec(line)?.[1]
    if (name) shown.next(name)
    else lines.push(line)
  })
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve))
    child.stdin.end()
    if (code !== 0)
      throw new ControlPlaneError(
        'CONTROL_PLANE_BUILD',
        `building ${programs.join(', ')} ended with ${code}:\n${lines.slice(-LINES_SHOWN).join('\n')}`,
      )
    shown.done()
  } finally {
    shown.stop()
    rmSync(work, { recursive: true, force: true })
  }
}

/** `building kube-apiserver with Go (2/5)  1m10s`. */
class Builds {
  private readonly of: number
  private count = 0
  private step: Steps | undefined
  private text = ''
  private readonly timer = setInterval(() => this.step?.now(`${this.text}  ${this.step.seconds.toFixed(0)}s`), 1_000)

  constructor(of: number) {
    this.of = of
  }

  next(name: string): void {
    this.done()
    this.count++
    this.text = `building ${name} with Go (${this.count}/${this.of})`
    this.step = new Steps()
    this.step.begin(this.text)
  }

  done(): void {
    this.step?.end(this.text.replace('building', 'built'))
    this.step = undefined
  }

  stop(): void {
    clearInterval(this.timer)
  }
}
