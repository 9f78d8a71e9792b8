import { formatDuration } from '../../sandbox/world/time.ts'
import { exitCodes } from '../exit-codes.ts'
import { shown } from '../reporters/shown.ts'
import { chosenSandbox } from '../sandboxes/choose.ts'
import { inspect, type SandboxStatus } from '../sandboxes/inspect.ts'
import { removeLeftovers } from '../sandboxes/leftovers.ts'
import { listStates, untilEnded } from '../sandboxes/state.ts'
import { bytesText } from '../sandboxes/text.ts'
import { marks, style } from '../style.ts'

const out = (line: string) => process.stdout.write(`${line}\n`)

interface StatusOptions {
  readonly output: 'terminal' | 'json'
  readonly json?: boolean
}

/** Which sandboxes are up, or the named one, and what goes on in them. */
export async function status(name: string | undefined, { output, json }: StatusOptions): Promise<number> {
  await untilEnded()
  removeLeftovers()
  const sandboxes = await Promise.all((name === undefined ? listStates() : [chosenSandbox(name)]).map(inspect))
  if (json || output === 'json') {
    out(JSON.stringify({ schemaVersion: 1, sandboxes }, null, 2))
    return exitCodes.pass
  }
  for (const one of sandboxes) for (const line of lines(one)) out(line)
  if (sandboxes.length === 0) {
    out('no sandbox is up')
    process.stderr.write(style.dim('next: seatrial up --cluster local\n'))
  }
  return exitCodes.pass
}

function lines(one: SandboxStatus): string[] {
  const { name, tier, phase, since, nodes, pods, autoscalers = [], processes, kubeconfig } = one
  const age = formatDuration(Math.max(0, Date.now() - Date.parse(since)) * 1e3)
  const well = phase === 'up' && nodes !== undefined && nodes.ready === nodes.total
  const answers = phase !== 'up' ? '' : nodes ? '' : ' · its API server does not answer'
  return [
    `${well ? style.green(marks.pass) : style.yellow(marks.unsure)} ${style.bold(name)}  tier ${tier} · ${phase} for ${age}${answers}`,
    ...(nodes ? [`    nodes  ${nodes.ready}/${nodes.total} Ready`] : []),
    ...(pods ? [`    pods   ${podsText(pods)}`] : []),
    ...autoscalers.map(
      (hpa) =>
        `    hpa    ${shown(`${hpa.namespace}/${hpa.name}`)} → ${shown(hpa.target)}  ${hpa.currentReplicas} replicas, wants ${hpa.desiredReplicas} (${hpa.minReplicas} to ${hpa.maxReplicas})`,
    ),
    `    uses   ${usesText(processes)}`,
    ...(kubeconfig ? [style.dim(`    export KUBECONFIG=${kubeconfig}`)] : []),
  ]
}

const podsText = (pods: Readonly<Record<string, number>>): string =>
  Object.entries(pods)
    .map(([phase, count]) => `${count} ${phase}`)
    .join(', ') || 'none'

function usesText(processes: SandboxStatus['processes']): string {
  const bytes = processes.reduce((sum, one) => sum + one.residentBytes, 0)
  const cpu = processes.reduce((sum, one) => sum + one.cpuSeconds, 0)
  const each = processes.map(({ name, residentBytes }) => `${name} ${bytesText(residentBytes)}`)
  return `${bytesText(bytes)}, ${cpu.toFixed(1)} s of processor in ${processes.length} ${processes.length === 1 ? 'process' : 'processes'}${style.dim(`  (${each.join(', ')})`)}`
}
