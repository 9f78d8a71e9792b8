import type { Container } from '../../kube/objects.ts'
import { otherServer, parseImage, type VllmImage, vllmImage } from './image.ts'
import { type ConfigMapLookup, environmentOf, expandReferences } from './kubelet-expansion.ts'
import { readShellScript, type ShellCommand, type ShellEnvironment, type ShellScript } from './shell-words.ts'

/** A vLLM server found in a container, before its flags are read. */
export interface VllmCommand {
  readonly kind: 'vllm'
  /** `vllm serve …` or `python -m vllm.entrypoints.openai.api_server …`. */
  readonly form: 'serve' | 'module'
  /** What follows it. */
  readonly args: readonly string[]
  readonly environment: ShellEnvironment
  readonly image: VllmImage | undefined
  /** Commands a script runs before the server; their time is not modelled. */
  readonly preamble: readonly string[]
  /** False when a shell stays in front as process 1: it does not pass SIGTERM on. */
  readonly receivesSignals: boolean
  /** What the manifest does not tell and the command uses. */
  readonly unknowns: readonly string[]
}

export type Recognition =
  | VllmCommand
  /** It runs vLLM, or may, in a way the sandbox cannot simulate. */
  | { readonly kind: 'unmodelled'; readonly code: UnmodelledCode; readonly reason: string }
  | { readonly kind: 'other' }

export type UnmodelledCode = 'other-server' | 'script' | 'unknown-entrypoint' | 'platform' | 'control-flow'

type CommandContainer = Pick<Container, 'image' | 'command' | 'args' | 'env' | 'envFrom'>

const unmodelled = (code: UnmodelledCode, reason: string): Recognition => ({ kind: 'unmodelled', code, reason })

/** Says whether a container runs a vLLM server, and with which arguments. */
export function recogniseVllm(container: CommandContainer, configMaps?: ConfigMapLookup): Recognition {
  const image = vllmImage(container.image)
  const other = otherServer(parseImage(container.image))
  const environment = namedEnvironment(container, configMaps)
  const unknowns: string[] = []
  const expand = (text: string) => {
    const expanded = expandReferences(text, environment)
    unknowns.push(...expanded.unknown.map((name) => `the value of $(${name})`))
    return expanded.text
  }
  const args = (container.args ?? []).map(expand)
  const command = (container.command ?? []).map(expand)
  const found = findServer(
    command.length > 0 ? [...command, ...args] : [...(image?.entrypoint ?? []), ...args],
    environment,
  )
  if (found.kind === 'server') {
    if (image && image.platform !== 'cuda')
      return unmodelled(
        'platform',
        `the image is vLLM for ${image.platform.toUpperCase()}; only CUDA GPUs are modelled`,
      )
    const { form, preamble, receivesSignals } = found
    const all = [...unknowns, ...found.problems]
    return {
      kind: 'vllm',
      form,
      args: found.args,
      environment: found.environment,
      image,
      preamble,
      receivesSignals,
      unknowns: all,
    }
  }
  if (other && (container.command ?? []).length === 0) return unmodelled('other-server', `${container.image}: ${other}`)
  if (!image) return { kind: 'other' }
  if (found.kind === 'unclear') return unmodelled(found.code, found.reason)
  const own = image.entrypoint === undefined && command.length === 0
  return own
    ? unmodelled('unknown-entrypoint', `${container.image} starts by an entrypoint of its own`)
    : { kind: 'other' }
}

/** The environment, in which a variable the command names is unknown where something unknown may set it. */
function namedEnvironment(container: CommandContainer, configMaps: ConfigMapLookup | undefined): ShellEnvironment {
  const { values, complete } = environmentOf(container, configMaps)
  if (complete) return values
  const texts = [...(container.command ?? []), ...(container.args ?? [])]
  const named = texts.flatMap((text) => [...text.matchAll(/\$[({]?([A-Za-z_]\w*)/g)].map((match) => match[1]!))
  return { ...Object.fromEntries(named.map((name) => [name, undefined])), ...values }
}

type Found =
  | {
      kind: 'server'
      form: 'serve' | 'module'
      args: readonly string[]
      environment: ShellEnvironment
      preamble: readonly string[]
      receivesSignals: boolean
      problems: readonly string[]
    }
  | { kind: 'unclear'; code: UnmodelledCode; reason: string }
  | { kind: 'none' }

const WRAPPERS = new Set([
  'exec',
  'nohup',
  'time',
  'tini',
  'dumb-init',
  'numactl',
  'nice',
  'stdbuf',
  'catatonit',
  'command',
])
const SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'zsh'])
/** Shells that become their last command. dash, which is `sh` in Debian and Ubuntu and so in vLLM's images, stays in front of it. */
const BECOMES_LAST = new Set(['bash', 'zsh'])
const MODULES = new Set(['vllm.entrypoints.openai.api_server', 'vllm.entrypoints.openai.rpc.server'])

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function findServer(words: readonly string[], environment: ShellEnvironment): Found {
  const { rest, environment: inner } = unwrap(words, environment)
  const [first, ...args] = rest
  if (first === undefined) return { kind: 'none' }
  const name = baseName(first)
  const server = (form: 'serve' | 'module', from: number): Found => ({
    kind: 'server',
    form,
    args: rest.slice(from),
    environment: inner,
    preamble: [],
    receivesSignals: true,
    problems: [],
  })
  if (name === 'vllm') return args[0] === 'serve' ? server('serve', 2) : { kind: 'none' }
  if (/^python[\d.]*$/.test(name)) return inPython(rest, server)
  if (SHELLS.has(name)) return inShell(name, args, inner)
  return { kind: 'none' }
}

/** Takes off `exec`, `env A=b`, `tini --` and the like. */
function unwrap(
  words: readonly string[],
  environment: ShellEnvironment,
): { rest: readonly string[]; environment: ShellEnvironment } {
  let rest = words
  let known = environment
  for (;;) {
    const name = rest[0] === undefined ? '' : baseName(rest[0])
    if (name !== 'env' && !WRAPPERS.has(name)) return { rest, environment: known }
    let i = 1
    while (i < rest.length && (rest[i]!.startsWith('-') || (name === 'env' && /^\w+=/.test(rest[i]!)))) {
      const assignment = /^(\w+)=(.*)$/s.exec(rest[i]!)
      if (assignment && name === 'env') known = { ...known, [assignment[1]!]: assignment[2]! }
      i++
    }
    rest = rest.slice(i)
  }
}

function inPython(words: readonly string[], server: (form: 'serve' | 'module', from: number) => Found): Found {
  const at = words.indexOf('-m')
  const module = at > 0 ? words[at + 1] : undefined
  if (module !== undefined && MODULES.has(module)) return server('module', at + 2)
  if (module === 'vllm.entrypoints.cli.main' && words[at + 2] === 'serve') return server('serve', at + 3)
  if (module?.startsWith('vllm.'))
    return { kind: 'unclear', code: 'other-server', reason: `${module} is not vLLM's OpenAI server` }
  const script = words.slice(1).find((word) => !word.startsWith('-'))
  return script?.endsWith('.py')
    ? { kind: 'unclear', code: 'script', reason: `it runs ${script}, whose contents the manifest does not show` }
    : { kind: 'none' }
}

function inShell(shell: string, args: readonly string[], environment: ShellEnvironment): Found {
  let at = 0
  while (at < args.length && /^[-+]/.test(args[at]!) && !/^-\w*c$/.test(args[at]!))
    at += /^[-+]\w*o$/.test(args[at]!) ? 2 : 1
  if (args[at] === undefined) return { kind: 'none' }
  if (!/^-\w*c$/.test(args[at]!))
    return { kind: 'unclear', code: 'script', reason: `it runs ${args[at]}, whose contents the manifest does not show` }
  let next = at + 1
  while (/^[-+]\w*o$/.test(args[next] ?? '')) next += 2
  const script = readShellScript(args[next] ?? '', environment, args.slice(next + 1))
  return pickServer(script, environment, { namesVllm: /\bvllm\b/.test(args[next] ?? ''), shell })
}

/** The last server a script starts; what comes before it is its preamble. */
function pickServer(
  { commands, problems }: ShellScript,
  environment: ShellEnvironment,
  { namesVllm, shell }: { namesVllm: boolean; shell: string },
): Found {
  let unclear: Found | undefined
  for (let i = commands.length - 1; i >= 0; i--) {
    const command = commands[i]!
    const found = findServer(command.words, {
      ...environment,
      ...exported(commands.slice(0, i)),
      ...command.assignments,
    })
    if (found.kind === 'unclear') unclear ??= found
    if (found.kind !== 'server') continue
    const isLast = i === commands.length - 1 && command.endedBy !== '&' && command.endedBy !== '|'
    const becomes = (isLast && BECOMES_LAST.has(shell)) || command.words[0] === 'exec'
    const before = i > 0 && commands[i - 1]!.endedBy === '|'
    return {
      ...found,
      preamble: [...commands.slice(0, i).map((c) => c.words.join(' ')), ...found.preamble],
      receivesSignals: found.receivesSignals && !before && becomes,
      problems: [...problems, ...found.problems],
    }
  }
  if (unclear) return unclear
  return namesVllm && problems.length > 0
    ? { kind: 'unclear', code: 'control-flow', reason: `its script needs ${problems[0]}, which only a shell can tell` }
    : { kind: 'none' }
}

function exported(commands: readonly ShellCommand[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const { words } of commands)
    if (words[0] === 'export')
      for (const word of words.slice(1)) {
        const assignment = /^(\w+)=(.*)$/s.exec(word)
        if (assignment) values[assignment[1]!] = assignment[2]!
      }
  return values
}
