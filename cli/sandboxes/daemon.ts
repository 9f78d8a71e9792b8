/** The background process of a sandbox that stays: `daemon.ts FOLDER`. It reads what is asked for as JSON on standard input; see requests.ts. */
import { writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { numberSpace, self } from '../../sandbox/tiers/control-plane/processes.ts'
import { Raised } from './raised.ts'
import { STAY, type UpAnswer, type UpRequest } from './requests.ts'
import { change, forget, kubeconfigOf } from './state.ts'

/** How long the end of a sandbox may take; what is left then is ended by its supervisor, and by the next command. */
const END_WITHIN_MS = 10_000

const name = basename(process.argv[2] ?? '')
let raised: Raised | undefined
let staying = false
let ending = false

const log = (text: string) => process.stderr.write(`${new Date().toISOString()} ${text}\n`)

/** Nobody listens any more once the command has ended. */
function answer(one: UpAnswer): void {
  process.stdout.write(`${JSON.stringify(one)}\n`)
}

async function raise(request: UpRequest): Promise<void> {
  const begun = performance.now()
  change(name, { owner: self(), space: numberSpace() })
  const { stdin, ...rest } = request
  raised = new Raised({ ...rest, ...(stdin === undefined ? {} : { stdin: Readable.from([stdin]) }) }, answer)
  try {
    const { kubeconfig, ...told } = await raised.up()
    writeFileSync(kubeconfigOf(name), kubeconfig, { mode: 0o600 })
    const upMs = Math.round(performance.now() - begun)
    change(name, { upMs, ...told, ...(request.qps === undefined ? {} : { qps: request.qps }) })
    void raised.lost.then(lost)
    answer({ up: true, upMs })
    flushCompileCache()
  } catch (error) {
    if (ending) return
    const { text, exitCode } = (await import('../failure.ts')).failureOf(error)
    log(text)
    answer({ failed: text, exitCode })
    await end()
  }
}

/** The command that asked has heard that it is up. From here on the sandbox is its own. */
function stay(): void {
  staying = true
  change(name, { phase: 'up' })
  answer({ stays: true })
}

/** A program of it ended by itself: there is nothing to be saved. The next command says why. */
async function lost(why: string): Promise<void> {
  if (ending) return
  log(`lost: ${why}`)
  change(name, { lost: why })
  await end(false)
}

async function end(forgotten = true): Promise<void> {
  if (ending) return
  ending = true
  log('ending')
  change(name, { phase: 'ending' })
  setTimeout(() => process.exit(0), END_WITHIN_MS).unref()
  await raised?.close()
  if (forgotten) forget(name)
  process.exit(0)
}

process.stdout.on('error', () => {})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end())
process.on('uncaughtException', (error) => log(`an actor failed: ${error.stack ?? error.message}`))
process.on('unhandledRejection', (error) =>
  log(`an actor failed: ${error instanceof Error ? error.stack : String(error)}`),
)
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (line === STAY) stay()
  else void raise(JSON.parse(line) as UpRequest)
})
// the command that asked was interrupted or killed
lines.on('close', () => {
  if (!staying) void end()
})
