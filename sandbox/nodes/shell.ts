import { seconds, type Us } from '../world/time.ts'

/** What a command comes to. `afterUs` may be infinite. */
export interface CommandOutcome {
  readonly exitCode: number
  readonly afterUs: Us
}

const SHELLS = new Set(['sh', 'bash', 'ash', 'dash'])
const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86400 }

/**
 * The few commands whose outcome follows from their words alone: `sleep`, `true`, `false`, `echo`, `exit`, and sequences of them
 * in a shell. Undefined for all others.
 */
export function understand(command: readonly string[]): CommandOutcome | undefined {
  const [first, ...rest] = command
  if (first === undefined) return undefined
  const name = first.slice(first.lastIndexOf('/') + 1)
  if (!SHELLS.has(name)) return simple([name, ...rest])
  const flag = rest.findIndex((word) => /^-[a-z]*c$/.test(word))
  if (flag < 0 || rest.slice(0, flag).some((word) => !/^-[a-z]+$/.test(word))) return undefined
  return script(rest[flag + 1] ?? '')
}

function script(text: string): CommandOutcome | undefined {
  const steps = commandsOf(text)
  if (!steps) return undefined
  let [afterUs, exitCode] = [0, 0]
  for (const { words, onlyAfterSuccess } of steps) {
    if (words.length === 0 || (onlyAfterSuccess && exitCode !== 0)) continue
    const rest = words[0] === 'exec' ? words.slice(1) : words
    if (rest[0] === 'exit') return { exitCode: Number(rest[1] ?? exitCode) & 255, afterUs }
    const outcome = simple(rest)
    if (!outcome) return undefined
    afterUs += outcome.afterUs
    exitCode = outcome.exitCode
  }
  return { exitCode, afterUs }
}

interface Step {
  readonly words: string[]
  /** It comes after `&&`. */
  readonly onlyAfterSuccess: boolean
}

/** The commands of a script of plain words and quotes; undefined when there is anything more to it. */
function commandsOf(text: string): Step[] | undefined {
  const tokens = text.match(/'[^']*'|"[^"$`\\]*"|&&|[;\n]|[\w./:=,@%+-]+|[ \t]+|[\s\S]/g) ?? []
  const steps: Step[] = [{ words: [], onlyAfterSuccess: false }]
  let open = false
  for (const token of tokens) {
    const word = /^['"].*['"]$/s.test(token) ? token.slice(1, -1) : /^[\w./:=,@%+-]+$/.test(token) ? token : undefined
    const { words } = steps.at(-1)!
    if (token === '&&' || token === ';' || token === '\n') steps.push({ words: [], onlyAfterSuccess: token === '&&' })
    else if (word !== undefined) {
      if (open) words[words.length - 1] += word
      else words.push(word)
    } else if (!/^[ \t]+$/.test(token)) return undefined
    open = word !== undefined
  }
  return steps
}

function simple([name, ...args]: readonly string[]): CommandOutcome | undefined {
  if (name === 'true' || name === ':' || name === 'echo') return { exitCode: 0, afterUs: 0 }
  if (name === 'false') return { exitCode: 1, afterUs: 0 }
  if (name?.endsWith('/sleep')) return simple(['sleep', ...args])
  if (name !== 'sleep' || args.length === 0) return undefined
  let total = 0
  for (const arg of args) {
    const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(arg)
    if (arg === 'infinity' || arg === 'inf') total = Number.POSITIVE_INFINITY
    else if (match) total += Number(match[1]) * UNIT_SECONDS[match[2]!]!
    else return undefined
  }
  return { exitCode: 0, afterUs: total === Number.POSITIVE_INFINITY ? total : seconds(total) }
}
