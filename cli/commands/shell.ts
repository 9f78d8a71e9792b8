import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { constants, homedir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { UsageError } from '../failure.ts'
import { upSandbox } from '../sandboxes/choose.ts'
import { removeLeftovers } from '../sandboxes/leftovers.ts'
import { folderOf, kubeconfigOf } from '../sandboxes/state.ts'
import { shellQuoted } from '../sandboxes/text.ts'
import { style } from '../style.ts'

/** The user's shell, connected to a sandbox: KUBECONFIG set, its kubectl first on PATH, its name in the prompt. Ends with the shell's exit code. */
export async function shell(name: string | undefined): Promise<number> {
  removeLeftovers()
  const sandbox = upSandbox(name)
  const program = process.env['SHELL'] || '/bin/sh'
  if (!existsSync(program))
    throw new UsageError(
      'NO_SHELL',
      `SHELL names ${program}, which is not there`,
      'For example: SHELL=/bin/sh seatrial shell',
    )
  const { args, env } = marked(program, sandbox.name)
  if (process.stdin.isTTY)
    process.stderr.write(style.dim(`connected to sandbox ${sandbox.name}; exit leaves it as it is\n`))
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...env,
      KUBECONFIG: kubeconfigOf(sandbox.name),
      PATH: [join(folderOf(sandbox.name), 'bin'), process.env['PATH'] ?? ''].join(delimiter),
      SEATRIAL_SANDBOX: sandbox.name,
    },
  })
  // Ctrl-C is for what runs in the shell
  const ignore = () => {}
  process.on('SIGINT', ignore)
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) =>
    child.on('error', reject).on('exit', (...end) => resolve(end)),
  )
  process.off('SIGINT', ignore)
  return code ?? 128 + constants.signals[signal!]
}

/** Flags and variables by which a shell shows the sandbox in its prompt, after the user's own start files. */
function marked(program: string, name: string): { args: string[]; env: Record<string, string> } {
  const mark = `(seatrial:${name}) `
  const folder = join(folderOf(name), 'shell')
  const file = (base: string, text: string) => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, base), text, { mode: 0o600 })
    return join(folder, base)
  }
  // start files may put a kubectl of their own first
  const path = `PATH=${shellQuoted(join(folderOf(name), 'bin'))}:"$PATH"`
  switch (basename(program)) {
    case 'bash': {
      const own = shellQuoted(join(homedir(), '.bashrc'))
      return {
        args: ['--rcfile', file('bashrc', `[ -f ${own} ] && . ${own}\n${path}\nPS1='${mark}'"$PS1"\n`)],
        env: {},
      }
    }
    case 'zsh': {
      const home = process.env['ZDOTDIR'] || homedir()
      const own = shellQuoted(join(home, '.zshrc'))
      file('.zshrc', `ZDOTDIR=${shellQuoted(home)}\n[ -f ${own} ] && . ${own}\n${path}\nPS1='${mark}'"$PS1"\n`)
      return { args: [], env: { ZDOTDIR: folder } }
    }
    case 'fish':
      return {
        args: [
          '--init-command',
          `functions -c fish_prompt seatrial_prompt; function fish_prompt; echo -n '${mark}'; seatrial_prompt; end`,
        ],
        env: {},
      }
    default:
      return { args: [], env: { PS1: `${mark}$ ` } }
  }
}
