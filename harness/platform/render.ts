import { spawn } from 'node:child_process'
import type { Us } from '../../sandbox/world/time.ts'
import { formatDuration } from '../../sandbox/world/time.ts'
import { decodeText } from './decode.ts'
import { PlatformError, type PlatformErrorCode, type Position } from './errors.ts'
import type { Limits } from './limits.ts'
import type { TextFile } from './read.ts'
import { commandText } from './render-words.ts'

/** A command of `seatrial.yaml` that writes manifests to its standard output. */
export interface RenderCommand {
  readonly argv: readonly string[]
  readonly timeoutUs: Us
  /** The folder of the `seatrial.yaml` that holds it. */
  readonly cwd: string
  /** Where it stands there. */
  readonly at: Position
}

/** How the text a command wrote is called in positions. */
export function renderedName({ argv, at }: Pick<RenderCommand, 'argv' | 'at'>): string {
  const text = commandText(argv)
  return text.length <= NAME_MAX ? `$(${text})` : `$(${text.slice(0, NAME_MAX)}…, line ${at.line})`
}

const NAME_MAX = 100

/**
 * Runs a command without a shell and without input, and takes what it writes as manifests. Throws a `PlatformError` with the end of its messages when it
 * fails, is not installed, takes too long or writes too much.
 */
export async function render(command: RenderCommand, limits: Limits): Promise<TextFile> {
  const { bytes, failure } = await output(command, limits)
  if (failure) throw failure
  return { file: renderedName(command), text: decodeText(renderedName(command), bytes), rendered: command }
}

function output(command: RenderCommand, limits: Limits): Promise<{ bytes: Uint8Array; failure?: PlatformError }> {
  const [program, ...args] = command.argv
  return new Promise((resolve) => {
    const child = spawn(program!, args, { cwd: command.cwd, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
    const chunks: Buffer[] = []
    let size = 0
    let messages = ''
    const end = (failure?: PlatformError) => {
      child.kill('SIGKILL')
      child.stdout.destroy()
      child.stderr.destroy()
      resolve({ bytes: Buffer.concat(chunks), ...(failure ? { failure } : {}) })
    }
    const late = AbortSignal.timeout(Math.ceil(command.timeoutUs / 1000))
    late.onabort = () => end(tooSlow(command))
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limits.fileBytes) end(tooMuch(command, limits))
      else chunks.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      messages = (messages + chunk.toString('utf8')).slice(-MESSAGES_MAX)
    })
    child.on('error', (error: NodeJS.ErrnoException) => end(notStarted(command, error)))
    child.on('close', (code, signal) => {
      late.onabort = null
      end(code === 0 ? undefined : failed(command, code ?? signal ?? '', messages))
    })
  })
}

const MESSAGES_MAX = 20_000
const LINES_SHOWN = 12

const renderError = (code: PlatformErrorCode, { at }: RenderCommand, what: string, why: string, fix: string) =>
  new PlatformError(code, what, { why, fix, at })

function failed(command: RenderCommand, code: number | string, messages: string): PlatformError {
  const lines = messages
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
  const said = lines.slice(-LINES_SHOWN).map((line) => `\n      ${line}`)
  return renderError(
    'RENDER_FAILED',
    command,
    `«${commandText(command.argv)}» ended with ${typeof code === 'number' ? `code ${code}` : code}`,
    said.length > 0 ? `It said:${said.join('')}` : 'It said nothing.',
    `Run it yourself in ${command.cwd}, and correct the command or what it renders.`,
  )
}

const tooSlow = (command: RenderCommand): PlatformError =>
  renderError(
    'RENDER_TIMEOUT',
    command,
    `«${commandText(command.argv)}» was stopped after ${formatDuration(command.timeoutUs)}`,
    'Rendering local files takes seconds; a command that fetches charts may wait for a network.',
    'Fetch dependencies before (helm dependency build), or give it longer: { run: "…", timeout: 5m }.',
  )

const tooMuch = (command: RenderCommand, limits: Limits): PlatformError =>
  renderError(
    'TOO_LARGE',
    command,
    `«${commandText(command.argv)}» wrote more than ${limits.fileBytes / 1e6} MB`,
    'No platform is that large; the command may not end.',
    'Render the charts of the platform under test only.',
  )

/** How the usual renderers are installed. */
const INSTALL: Readonly<Record<string, string>> = {
  helm: 'Install Helm (helm.sh/docs/intro/install; or go install helm.sh/helm/v3/cmd/helm@latest)',
  kustomize:
    'Install kustomize (kubectl.docs.kubernetes.io/installation/kustomize; or go install sigs.k8s.io/kustomize/kustomize/v5@latest)',
  kubectl: 'Install kubectl (kubernetes.io/docs/tasks/tools)',
  helmfile: 'Install helmfile (helmfile.readthedocs.io)',
}

function notStarted(command: RenderCommand, error: NodeJS.ErrnoException): PlatformError {
  const program = command.argv[0]!
  const missing = error.code === 'ENOENT'
  const install = INSTALL[program.replace(/^.*[\\/]/, '').replace(/\.exe$/i, '')] ?? `Install ${program}`
  return renderError(
    missing ? 'RENDERER_MISSING' : 'RENDER_FAILED',
    command,
    missing ? `there is no program «${program}» to render with` : `«${program}» could not be started`,
    missing ? 'It was looked for in PATH.' : `The system said ${error.code ?? error.message}.`,
    `${install}, or render elsewhere and pipe the result: ${commandText(command.argv)} | seatrial verify -`,
  )
}
