import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ROOT } from './outputs.ts'

/** A command in a `console` block of a document, and the output shown under it. */
export interface ShownCommand {
  readonly document: string
  /** Of the line `$ npx seatrial …`, from 1. */
  readonly line: number
  /** What follows `npx seatrial`. */
  readonly args: readonly string[]
  readonly shown: readonly string[]
}

/** The commands that README.md and docs/ show run: those that begin with `$ npx seatrial` in blocks marked `console`. */
export function shownCommands(): ShownCommand[] {
  const docs = readdirSync(new URL('docs/', ROOT), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path.replaceAll('\\', '/')}`)
    .sort()
  return ['README.md', ...docs].flatMap((document) =>
    commandsIn(document, readFileSync(new URL(document, ROOT), 'utf8').split('\n')),
  )
}

function commandsIn(document: string, lines: readonly string[]): ShownCommand[] {
  const found: { line: number; command: string; shown: string[] }[] = []
  let current: (typeof found)[number] | undefined
  let inside = false
  for (const [i, text] of lines.entries()) {
    if (text.startsWith('```')) {
      inside = !inside && text === '```console'
      current = undefined
    } else if (inside && text.startsWith('$ ')) {
      current = { line: i + 1, command: text.slice(2), shown: [] }
      found.push(current)
    } else current?.shown.push(text)
  }
  return found
    .filter(({ command }) => command.startsWith('npx seatrial '))
    .map(({ line, command, shown }) => ({ document, line, args: words(command).slice(2), shown }))
}

/** A command line's words; quotes hold one together. */
const words = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain!)

/** Runs a command from the repository's root. Output and messages as a pipe gets them, one after the other. */
export function runShown({ args }: ShownCommand): Promise<{ lines: string[]; exitCode: number }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, GITHUB_ACTIONS: undefined }
    const options = { cwd: fileURLToPath(ROOT), env, maxBuffer: 1e8 }
    execFile(process.execPath, ['cli/bin.js', ...args], options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') return reject(error)
      resolve({ lines: `${stdout}${stderr}`.trimEnd().split('\n'), exitCode: Number(error?.code ?? 0) })
    })
  })
}

/** The wall's time, which differs from run to run: `31m simulated  0.4s`, `2 passed · 0 failed · 0 invalid   4.2 s`. */
export const withoutWallTimes = (line: string): string =>
  line
    .replace(/(\bsimulated) +\d+(?:\.\d+)?s(?= |$)/, '$1 …s')
    .replace(/(\d (?:invalid|not applicable)) +\d+(?:\.\d+)? s$/, '$1 … s')

/** Whether the output is what is shown, but for the wall's time. A line `…` (also indented) stands for any number of lines. */
export function matches(shown: readonly string[], lines: readonly string[]): boolean {
  const [first, ...rest] = shown
  if (first === undefined) return lines.length === 0
  if (first.trim() === '…') return lines.some((_, i) => matches(rest, lines.slice(i))) || matches(rest, [])
  return lines.length > 0 && withoutWallTimes(first) === withoutWallTimes(lines[0]!) && matches(rest, lines.slice(1))
}

/** Rewrites what is shown where it is no longer what comes out. Returns the documents changed. Blocks with `…` are left to people. */
export async function updateConsoles(): Promise<string[]> {
  const changed = new Set<string>()
  // from the last line on, so that numbers of lines before it stay right
  for (const command of shownCommands().reverse()) {
    const { lines } = await runShown(command)
    if (matches(command.shown, lines)) continue
    if (command.shown.some((line) => line.trim() === '…')) {
      console.log(
        `${command.document}:${command.line} shows a shortened output that no longer matches: edit it by hand`,
      )
      process.exitCode = 1
      continue
    }
    const file = new URL(command.document, ROOT)
    const text = readFileSync(file, 'utf8').split('\n')
    text.splice(command.line, command.shown.length, ...lines)
    writeFileSync(file, text.join('\n'))
    changed.add(command.document)
  }
  return [...changed]
}
