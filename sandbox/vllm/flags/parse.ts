import { parseArguments } from './argparse.ts'
import { CommandLineException, rewriteArguments } from './rewrite.ts'
import type { VllmVersion } from './version.ts'

/** A command line as its version of vLLM understands it. */
export type CommandLine =
  | {
      readonly ok: true
      readonly model: string
      /** Where the model's name comes from. */
      readonly modelOrigin: 'flag' | 'default'
      /** Values given, by `dest`. */
      readonly given: ReadonlyMap<string, unknown>
      readonly warnings: readonly string[]
      /** A bare word that `python -m vllm.entrypoints.openai.api_server` reads as the model and then leaves unused. */
      readonly ignored?: string
    }
  | {
      readonly ok: false
      /** `unknown-flag`, `bad-value`, `missing-model`, `exception`, `help`. */
      readonly code: 'unknown-flag' | 'bad-value' | 'missing-model' | 'exception' | 'help'
      /** What the container prints to stderr, line by line. */
      readonly stderr: readonly string[]
      readonly exitCode: 0 | 1 | 2
      /** One line for people, as vLLM words it. */
      readonly message: string
      /** The flag at fault, as far as it can be told. */
      readonly flag?: string
      readonly unrecognised?: readonly string[]
    }

/** Parses a server's arguments as this version of vLLM parses them. */
export function parseCommandLine(args: readonly string[], form: 'serve' | 'module', version: VllmVersion): CommandLine {
  const { table } = version
  let rewritten: ReturnType<typeof rewriteArguments>
  try {
    rewritten = rewriteArguments(args, form, table)
  } catch (error) {
    if (!(error instanceof CommandLineException)) throw error
    const stderr = ['Traceback (most recent call last):', error.message]
    return { ok: false, code: 'exception', stderr, exitCode: 1, message: error.message, flag: '--model' }
  }
  const parsed = parseArguments(rewritten.args, form, table)
  if (!parsed.ok) return refused(parsed, form, table.model[form] === 'required')
  if (parsed.help)
    return { ok: false, code: 'help', stderr: [usage(form, false)], exitCode: 0, message: 'it only prints its help' }
  // only the command copies the bare word to --model (vllm/entrypoints/cli/serve.py); the module drops it
  const word = form === 'serve' ? parsed.model : undefined
  const named = word ?? (parsed.given.get('model') as string | undefined)
  return {
    ok: true,
    model: named ?? String(table.flags['--model']?.default ?? ''),
    modelOrigin: named === undefined ? 'default' : 'flag',
    given: parsed.given,
    warnings: rewritten.warnings,
    ...(form === 'module' && parsed.model !== undefined ? { ignored: parsed.model } : {}),
  }
}

type Refused = Extract<ReturnType<typeof parseArguments>, { ok: false }>

function refused(parsed: Refused, form: 'serve' | 'module', modelRequired: boolean): CommandLine {
  const { message, flag, unrecognised } = parsed
  // leftovers are reported by the parser of `vllm` itself, everything else by that of `vllm serve`
  const program = form === 'module' ? 'api_server.py' : unrecognised ? 'vllm' : 'vllm serve'
  const firstLine =
    unrecognised && form === 'serve'
      ? 'usage: vllm [-h] [-v] {chat,complete,serve,bench,collect-env,run-batch} ...'
      : usage(form, modelRequired)
  const first = unrecognised?.find((word) => word.startsWith('-'))
  return {
    ok: false,
    code: unrecognised ? 'unknown-flag' : message.startsWith('the following') ? 'missing-model' : 'bad-value',
    stderr: [firstLine, ...`${program}: error: ${message}`.split('\n')],
    exitCode: 2,
    message,
    ...((flag ?? first) ? { flag: (flag ?? first)!.split('=')[0]! } : {}),
    ...(unrecognised ? { unrecognised } : {}),
  }
}

const usage = (form: 'serve' | 'module', modelRequired: boolean): string =>
  form === 'module'
    ? 'usage: api_server.py [-h] [options]'
    : `usage: vllm serve ${modelRequired ? '<model_tag>' : '[model_tag]'} [options]`
