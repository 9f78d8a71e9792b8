import type { VllmFlag } from '../../../fixtures/vllm/index.ts'
import { parseCommandLine } from '../flags/parse.ts'
import type { RunnableServer } from './resolve.ts'

interface Values {
  readonly given: ReadonlyMap<string, unknown>
  readonly flags: ReadonlyMap<string, VllmFlag>
}

const known = new WeakMap<RunnableServer['command'], Values>()

/** What a server has for a flag, by its `dest`: as given, else the default of its version. */
export function flagValue(server: Pick<RunnableServer, 'command' | 'version'>, dest: string): unknown {
  const { given, flags } = valuesOf(server)
  return given.get(dest) ?? flags.get(dest)?.default
}

/** Whether it serves adapters; its engines then tell of them. */
export const hasLora = (server: Pick<RunnableServer, 'command' | 'version'>): boolean =>
  flagValue(server, 'enable_lora') === true

/** The type of a flag in the table of its version; undefined of one that has none. */
export const flagType = (server: Pick<RunnableServer, 'command' | 'version'>, dest: string): string | undefined =>
  valuesOf(server).flags.get(dest)?.type

function valuesOf({ command, version }: Pick<RunnableServer, 'command' | 'version'>): Values {
  let values = known.get(command)
  if (!values) {
    const parsed = parseCommandLine(command.args, command.form, version)
    const flags = Object.values(version.table.flags)
    values = {
      given: parsed.ok ? parsed.given : new Map<string, unknown>(),
      flags: new Map(flags.map((flag) => [flag.dest, flag])),
    }
    known.set(command, values)
  }
  return values
}
