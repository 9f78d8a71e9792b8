/**
 * How long `seatrial up` takes until GPU nodes are Ready, with programs that are there, from the command's first instruction to its end.
 * `npm run bench:up [-- --nodes 100 --qps 1000 --runs 5]`. Medians; the processor's time says more than the wall's on a shared machine.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from '../lag/quantiles.ts'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100' },
    qps: { type: 'string', default: '1000' },
    runs: { type: 'string', default: '5' },
  },
})
const BIN = fileURLToPath(new URL('../../../cli/bin.js', import.meta.url))
const PHASES = {
  'etcd and kube-apiserver serve': 'etcd and kube-apiserver serve',
  'kube-scheduler started': 'scheduler started',
  'nodes registered': `${values.nodes} nodes registered`,
  'nodes Ready': `${values.nodes} nodes Ready and without taint`,
} as const
type Phase = keyof typeof PHASES | 'all'

const state = mkdtempSync(join(tmpdir(), 'seatrial-bench-up-'))
const env = { ...process.env, XDG_STATE_HOME: state, NO_COLOR: '1' }
const seatrial = (...args: string[]) => spawnSync(process.execPath, [BIN, ...args], { env, encoding: 'utf8' })

/** Seconds from the begin to the end of each part, and of processor time of all its processes. */
async function run(): Promise<Map<Phase | 'cpu', number>> {
  const begun = performance.now()
  const seconds = () => (performance.now() - begun) / 1000
  const at = new Map<Phase | 'cpu', number>()
  const up = spawn(process.execPath, [BIN, 'up', '--nodes', values.nodes, '--qps', values.qps], { env })
  createInterface({ input: up.stderr }).on('line', (line) => {
    const phase = (Object.keys(PHASES) as (keyof typeof PHASES)[]).find((one) => line.includes(one))
    if (phase) at.set(phase, seconds())
  })
  const code = await new Promise<number | null>((resolve) => up.once('close', resolve))
  at.set('all', seconds())
  if (code !== 0) throw new Error(`up ended with ${code}`)
  const { sandboxes } = JSON.parse(seatrial('status', '--json').stdout) as {
    sandboxes: [{ nodes: { ready: number }; processes: { cpuSeconds: number }[] }]
  }
  if (sandboxes[0].nodes.ready !== Number(values.nodes)) throw new Error(`${sandboxes[0].nodes.ready} nodes are Ready`)
  at.set(
    'cpu',
    sandboxes[0].processes.reduce((sum, one) => sum + one.cpuSeconds, 0),
  )
  seatrial('down')
  return at
}

try {
  const runs: Map<Phase | 'cpu', number>[] = []
  const loads: number[] = []
  // the first fills the cache of compiled sources
  for (let i = 0; i <= Number(values.runs); i++) {
    loads.push(loadavg()[0]!)
    const one = await run()
    if (i > 0) runs.push(one)
  }
  console.log(
    `${cpus()[0]!.model}, ${cpus().length} cores, Node ${process.version}; load of the machine ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
  )
  console.log(
    `${values.nodes} GPU nodes, scheduler and each controller ${values.qps} requests/s; seconds since the command began, median and range of ${runs.length}\n`,
  )
  for (const [phase, text] of [
    ...Object.entries(PHASES),
    ['all', 'the command has ended'],
    ['cpu', 'processor time of the sandbox'],
  ] as [Phase | 'cpu', string][]) {
    const all = runs.map((one) => one.get(phase) ?? Number.NaN).sort((a, b) => a - b)
    console.log(
      `${text.padEnd(44)} ${median(all).toFixed(2).padStart(6)}   ${all[0]!.toFixed(2)} to ${all.at(-1)!.toFixed(2)}`,
    )
  }
} finally {
  seatrial('down', '--all')
  rmSync(state, { recursive: true, force: true })
}
