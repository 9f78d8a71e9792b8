import type { Program } from '../../sandbox/tiers/control-plane/binaries.ts'
import { exitCodes } from '../exit-codes.ts'
import { marks, style } from '../style.ts'

interface Found {
  readonly what: string
  readonly ok: boolean
  readonly detail: string
  readonly fix?: string
  /** What is here of it, one line each. */
  readonly parts?: readonly string[]
  /** No command fails for want of it. */
  readonly optional?: true
}

/** Says what this machine can run, and the line that gets what it lacks. Only what no command can do without decides the exit code. */
export async function doctor(options: { json?: boolean }): Promise<number> {
  const { removeLeftovers } = await import('../sandboxes/leftovers.ts')
  removeLeftovers()
  const found = [node(), await sim(), await local(), await k6()]
  if (options.json) process.stdout.write(`${JSON.stringify({ schemaVersion: 1, found }, null, 2)}\n`)
  else
    for (const { what, ok, detail, fix, parts = [], optional } of found) {
      const mark = ok ? style.green(marks.pass) : optional ? style.yellow(marks.unsure) : style.red(marks.fail)
      process.stdout.write(` ${mark} ${what}  ${style.dim(detail)}\n`)
      for (const part of parts) process.stdout.write(`     ${style.dim(part)}\n`)
      if (!ok && fix) process.stdout.write(`     ${fix}\n`)
    }
  return found.every(({ ok, optional }) => ok || optional) ? exitCodes.pass : exitCodes.unavailable
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

async function sim(): Promise<Found> {
  const missing = await (await import('../../sandbox/tiers/sim/sim.ts')).sim.available()
  return {
    what: 'tier sim',
    ok: missing.length === 0,
    detail: missing.length === 0 ? 'ready: needs nothing but Node' : missing.map((one) => one.what).join('; '),
  }
}

/** Where each program is that the real control plane needs, and how those are got that are missing. */
async function local(): Promise<Found> {
  const { CONTROL_PLANE, canBuild, findBinaries, KUBERNETES_VERSION, whyUnavailable } = await import(
    '../../sandbox/tiers/control-plane/binaries.ts'
  )
  const { downloadsAreOff, releaseOf } = await import('../../sandbox/tiers/control-plane/releases.ts')
  const programs: readonly Program[] = [...CONTROL_PLANE, 'kubectl']
  const { paths, missing } = await findBinaries(programs)
  const why = await whyUnavailable()
  const published = !downloadsAreOff() && missing.every((program) => releaseOf(program))
  const ways = [
    ...(published ? ['downloaded'] : []),
    ...((await canBuild()) ? ['built with Go in about 6 minutes'] : []),
  ]
  return {
    what: 'tier local',
    ok: why === undefined,
    detail:
      missing.length === 0
        ? `ready: Kubernetes ${KUBERNETES_VERSION}, on loopback`
        : (why ?? `the first use gets what is missing: ${ways.join(', or ')}`),
    fix: 'Install Go 1.26 or newer, or point KUBEBUILDER_ASSETS at a folder with the programs.',
    parts: programs.map((program) => `${program}  ${paths[program] ?? 'missing'}`),
  }
}

/** Which k6 the load of `--sender k6` and of a user's own scripts would take. */
async function k6(): Promise<Found> {
  const { allK6, findK6, whyNoK6 } = await import('../../harness/load/k6/binary/find.ts')
  const { K6Error } = await import('../../harness/load/k6/errors.ts')
  const what = 'k6, for load --sender k6 and --k6 script.js'
  try {
    const ours = await findK6('ours')
    const why = await whyNoK6('ours')
    const here = ours?.from === 'SEATRIAL_K6' ? [ours] : await allK6()
    return {
      what,
      ok: why === undefined,
      optional: true,
      detail: ours
        ? `ready: ${ours.version} with server-sent events`
        : (why ?? 'the first use builds it with Go in some minutes'),
      fix: 'Install Go 1.26 or newer, or point SEATRIAL_K6 at a k6 with our extension. Load needs none: --sender http.',
      parts: here.map(
        ({ path, version, sse }) => `k6 ${version}  ${path}${sse === 'ours' ? '' : '  (no times of events)'}`,
      ),
    }
  } catch (error) {
    if (!(error instanceof K6Error)) throw error
    return { what, ok: false, optional: true, detail: error.message, fix: error.fix }
  }
}
