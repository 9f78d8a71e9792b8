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
  if (/[|<>`$(){}*?[\]~\\'"]/.test(text.replace(/&&/g, '').replace(/"[^"$`\\]*"|'[^']*'/g, ''))) return undefined
  const steps = text.split(/(&&|;|\n)/).map((s) => s.trim())
  let [afterUs, exitCode, skip] = [0, 0, false]
  for (const step of steps) {
    if (step === '&&') skip = exitCode !== 0
    else if (step === ';' || step === '') skip = step === ';' ? false : skip
    else if (!skip) {
      if (step.includes('&')) return undefined
      const words = (step.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((w) => w.replace(/^["']|["']$/g, ''))
      if (words[0] === 'exec') words.shift()
      if (words[0] === 'exit') return { exitCode: Number(words[1] ?? exitCode) & 255, afterUs }
      const outcome = simple(words)
      if (!outcome) return undefined
      afterUs += outcome.afterUs
      exitCode = outcome.exitCode
    }
  }
  return { exitCode, afterUs }
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
