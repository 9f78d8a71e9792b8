import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { type AskedGpus, parseGpus } from '../../harness/staying/node-groups.ts'
import { ensureBinaries } from '../../sandbox/tiers/control-plane/binaries.ts'
import { parseDuration, type Us } from '../../sandbox/world/time.ts'
import { UsageError } from '../failure.ts'
import { positiveInteger } from '../positive-integer.ts'
import { removeLeftovers } from '../sandboxes/leftovers.ts'
import { Progress, secondsText } from '../sandboxes/progress.ts'
import type { UpRequest } from '../sandboxes/requests.ts'
import { startDaemon } from '../sandboxes/start.ts'
import { folderOf, kubeconfigOf, readState, take, untilEnded } from '../sandboxes/state.ts'
import { shellQuoted } from '../sandboxes/text.ts'
import { style } from '../style.ts'

export interface UpOptions {
  cluster?: string
  nodes?: string
  gpu?: string
  name: string
  qps?: string
  loadTime?: string
  config?: string
  render?: boolean
}

const MOST_NODES = 5_000
const say = (line: string) => process.stderr.write(`${line}\n`)

/** Starts a sandbox that stays when the command has ended. Its kubeconfig is the one line on stdout. */
export async function up(paths: readonly string[], options: UpOptions): Promise<number> {
  const { name } = options
  const asked = await checked(paths, options)
  await untilEnded(name)
  removeLeftovers()
  if (readState(name)) throw isThere(name)
  const { kubectl } = await ensureBinaries(PROGRAMS)
  const stdin = paths.includes('-') ? { stdin: await textOf(process.stdin) } : {}
  if (!take(name)) throw isThere(name)
  mkdirSync(join(folderOf(name), 'bin'))
  symlinkSync(kubectl, join(folderOf(name), 'bin', 'kubectl'))
  const progress = new Progress()
  const { exitCode, upMs, failed } = await startDaemon(name, { ...asked, ...stdin }, progress.tell)
  progress.clear()
  if (failed !== undefined) say(failed)
  if (upMs !== undefined) sayUp(name, upMs, asked)
  return exitCode
}

const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-scheduler', 'kube-controller-manager', 'kubectl'] as const

async function checked(paths: readonly string[], options: UpOptions): Promise<UpRequest> {
  const { cluster, name, nodes, gpu, qps, loadTime, config, render } = options
  if (cluster === 'sim')
    throw new UsageError(
      'NOTHING_TO_CONNECT_TO',
      'tier sim has no API server that anything could connect to: it is simulated within one process, in virtual time',
      'Use --cluster local, or «seatrial run SCENARIO» to watch a trial on sim.',
    )
  if (!/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/.test(name))
    throw new UsageError(
      'BAD_OPTION',
      `--name must be lower-case letters, digits and dashes, not «${name}»`,
      'For example: --name demo',
    )
  const given = paths.length > 0 ? paths : []
  return {
    cwd: process.cwd(),
    paths: given,
    ...(config === undefined ? {} : { config }),
    ...(render === undefined ? {} : { render }),
    ...(nodes === undefined ? {} : { nodes: atMost(positiveInteger(nodes, '--nodes'), MOST_NODES, '--nodes') }),
    ...(gpu === undefined ? {} : { gpu: gpusOf(gpu) }),
    ...(qps === undefined ? {} : { qps: positiveInteger(qps, '--qps') }),
    ...(loadTime === undefined ? {} : { loadTimeUs: durationOf(loadTime) }),
  }
}

function atMost(value: number, most: number, option: string): number {
  if (value <= most) return value
  throw new UsageError('BAD_OPTION', `${option} must be at most ${most}, not ${value}`, `For example: ${option} 100`)
}

function gpusOf(text: string): AskedGpus {
  try {
    return parseGpus(text)
  } catch (error) {
    throw new UsageError('BAD_OPTION', `--gpu: ${(error as Error).message}`, 'For example: --gpu h100-sxm:8')
  }
}

function durationOf(text: string): Us {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new UsageError('BAD_OPTION', `--load-time: ${(error as Error).message}`, 'For example: --load-time 20s')
  }
}

function isThere(name: string): UsageError {
  const { phase = 'starting', since = '' } = readState(name) ?? {}
  return new UsageError(
    'SANDBOX_EXISTS',
    `sandbox «${name}» ${phase === 'starting' ? 'is being started' : `is up since ${since}`}`,
    `Use it: «seatrial shell ${name}». End it: «seatrial down ${name}». Or start another: --name ${name}-2.`,
  )
}

function sayUp(name: string, upMs: number, { qps }: UpRequest): void {
  const limits =
    qps === undefined
      ? 'scheduler 50, each controller 20 (upstream’s; --qps raises them)'
      : `scheduler and each controller ${qps}, in bursts ${2 * qps}`
  say(`sandbox ${style.bold(name)} · tier local · up in ${secondsText(upMs)} · API requests/s: ${limits}`)
  process.stdout.write(`export KUBECONFIG=${shellQuoted(kubeconfigOf(name))}\n`)
  say(style.dim(`next: seatrial shell ${name} · seatrial status · seatrial down ${name}`))
}
