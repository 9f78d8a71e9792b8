import { RunStore } from '../../harness/runs/store.ts'
import { type Format, reporterFor } from '../reporters/index.ts'
import { replay } from '../reporters/reporter.ts'
import { shown } from '../reporters/shown.ts'
import { style } from '../style.ts'
import { exitCode } from './verify.ts'

interface Options {
  output: Format
  json?: boolean
  quiet?: boolean
  list?: boolean
}

/** Prints a kept run again, in any format, and ends with what `verify` ended with. */
export async function report(name: string, options: Options): Promise<number> {
  const store = new RunStore(process.cwd())
  if (options.list) {
    for (const { id } of store.list()) {
      const { createdAt, overview, totals } = store.load(id)
      const { passed, failed, invalid, waived } = totals
      const counts = `${passed} passed · ${failed} failed · ${invalid} invalid${waived > 0 ? ` · ${waived} waived` : ''}`
      process.stdout.write(
        `${id}  ${style.dim(createdAt.slice(0, 19).replace('T', ' '))}  ${shown(overview.name)}  ${counts}\n`,
      )
    }
    return 0
  }
  const run = store.load(name)
  replay(run, await reporterFor(options.json ? 'json' : options.output, { quiet: options.quiet ?? false }))
  if (process.stderr.isTTY) process.stderr.write(style.dim(`run ${run.id} of ${run.createdAt}\n`))
  return exitCode(run.totals)
}
