import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { exitCodes } from '../exit-codes.ts'
import { marks, style } from '../style.ts'

interface Found {
  readonly what: string
  readonly ok: boolean
  readonly detail: string
  readonly fix?: string
}

/** Says what this machine can run, and the line that gets what it lacks. */
export async function doctor(options: { json?: boolean }): Promise<number> {
  const found: Found[] = [node()]
  for (const tier of [sim]) {
    const missing = await tier.available()
    found.push({
      what: `tier ${tier.name}`,
      ok: missing.length === 0,
      detail: missing.length === 0 ? 'ready: needs nothing but Node' : missing.map((m) => m.what).join('; '),
      fix: missing[0]?.fix,
    })
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ schemaVersion: 1, found }, null, 2)}\n`)
  else
    for (const { what, ok, detail, fix } of found) {
      process.stdout.write(` ${ok ? style.green(marks.pass) : style.red(marks.fail)} ${what}  ${style.dim(detail)}\n`)
      if (!ok && fix) process.stdout.write(`     ${fix}\n`)
    }
  return found.every((one) => one.ok) ? exitCodes.pass : exitCodes.unavailable
}

function node(): Found {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 22 || (major === 22 && minor >= 18)
  return {
    what: 'Node',
    ok,
    detail: `${process.version} at ${process.execPath}`,
    fix: 'Install Node 22.18 or newer, or run npm ci in the project.',
  }
}
