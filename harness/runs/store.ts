import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { RUN_SCHEMA_VERSION, type Run } from './run.ts'

/** Runs that are kept; older ones are removed. */
export const RUNS_KEPT = 20

/** Something about kept runs that a user can mend. */
export class RunError extends Error {
  override readonly name = 'RunError'
  readonly code: 'NO_RUN' | 'BAD_RUN' | 'WHICH_RUN'
  readonly fix: string

  constructor(code: RunError['code'], what: string, fix: string) {
    super(what)
    this.code = code
    this.fix = fix
  }
}

/** The folder Seatrial writes to, which no version control sees. It is made when it is not there. */
export function ownFolder(cwd: string): string {
  const folder = join(cwd, '.seatrial')
  mkdirSync(folder, { recursive: true })
  const ignore = join(folder, '.gitignore')
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n')
  return folder
}

/** Runs under `.seatrial/runs/` of a folder. Nothing is written anywhere else. */
export class RunStore {
  private readonly cwd: string

  constructor(cwd: string) {
    this.cwd = cwd
  }

  /** Writes `.seatrial/runs/<id>/result.json`, and removes what is older than the newest twenty. */
  save(run: Run): string {
    const folder = join(ownFolder(this.cwd), 'runs', run.id)
    mkdirSync(folder, { recursive: true })
    const file = join(folder, 'result.json')
    writeFileSync(`${file}.part`, `${JSON.stringify(run, null, 2)}\n`)
    renameSync(`${file}.part`, file)
    for (const { id } of this.list().slice(RUNS_KEPT)) rmSync(join(this.folder, id), { recursive: true, force: true })
    return file
  }

  /** Ids, the newest first. */
  list(): { id: string; savedAtMs: number }[] {
    if (!existsSync(this.folder)) return []
    return readdirSync(this.folder)
      .flatMap((id) => {
        const stats = statSync(join(this.folder, id, 'result.json'), { throwIfNoEntry: false })
        return stats ? [{ id, savedAtMs: stats.mtimeMs }] : []
      })
      .sort((a, b) => b.savedAtMs - a.savedAtMs || (a.id < b.id ? -1 : 1))
  }

  /** A run by the begin of its id, by the path of its file or folder, or `latest` and `previous`. Throws a `RunError`. */
  load(name: string): Run {
    return read(this.fileOf(name))
  }

  private get folder(): string {
    return join(this.cwd, '.seatrial', 'runs')
  }

  private fileOf(name: string): string {
    const runs = this.list()
    const places = { latest: 0, previous: 1 }
    if (name in places) {
      const run = runs[places[name as keyof typeof places]]
      if (run) return join(this.folder, run.id, 'result.json')
      throw new RunError(
        'NO_RUN',
        `there is no ${name} run here`,
        'seatrial verify keeps one in .seatrial/runs/ of the folder it runs in.',
      )
    }
    const found = runs.filter(({ id }) => id.startsWith(name))
    if (found.length > 1)
      throw new RunError(
        'WHICH_RUN',
        `${found.length} runs begin with «${name}»`,
        `One of ${found.map(({ id }) => id).join(', ')}.`,
      )
    if (found[0]) return join(this.folder, found[0].id, 'result.json')
    const path = resolve(this.cwd, name)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats?.isFile()) return path
    if (stats?.isDirectory() && existsSync(join(path, 'result.json'))) return join(path, 'result.json')
    throw new RunError(
      'NO_RUN',
      `there is no run «${name}»`,
      runs.length > 0
        ? `Here are ${runs
            .slice(0, 5)
            .map(({ id }) => id)
            .join(', ')}.`
        : 'seatrial verify keeps runs in .seatrial/runs/.',
    )
  }
}

function read(file: string): Run {
  let run: Partial<Run>
  try {
    run = JSON.parse(readFileSync(file, 'utf8')) as Partial<Run>
  } catch (error) {
    throw new RunError('BAD_RUN', `${file} cannot be read: ${(error as Error).message}`, 'Run seatrial verify again.')
  }
  if (run.schemaVersion !== RUN_SCHEMA_VERSION || !Array.isArray(run.verdicts) || !run.totals || !run.overview)
    throw new RunError(
      'BAD_RUN',
      `${file} is no run of this version (schemaVersion ${run.schemaVersion ?? 'missing'}, wanted ${RUN_SCHEMA_VERSION})`,
      'Run seatrial verify again with this version.',
    )
  return run as Run
}
