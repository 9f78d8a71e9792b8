import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const KWOK_VERSION = 'v0.8.0'

/** Stages that `kwokctl` gives a cluster by default, with leases. */
const STAGES = [
  'node/fast/node-initialize',
  'node/heartbeat-with-lease/node-heartbeat-with-lease',
  ...['pod/fast/pod-ready', 'pod/fast/pod-complete', 'pod/fast/pod-delete'],
]

/** The kwok controller, built from its Go module on first use. */
export function kwokProgram(): string {
  const folder = join(homedir(), '.cache', 'seatrial', `kwok-${KWOK_VERSION}`)
  const program = join(folder, 'kwok')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  const built = spawnSync('go', ['install', `sigs.k8s.io/kwok/cmd/kwok@${KWOK_VERSION}`], {
    env: { ...process.env, GOBIN: folder },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (built.error || built.status !== 0)
    throw new Error(`go install of kwok ${KWOK_VERSION} failed: ${built.error?.message ?? `status ${built.status}`}`)
  return program
}

/** Its flags; puts the stages, which come with its source, into the folder. */
export function kwokFlags(kubeconfig: string, folder: string): string[] {
  const config = join(folder, 'kwok.yaml')
  writeFileSync(
    config,
    STAGES.map((name) => readFileSync(join(sourceFolder(), 'kustomize/stage', `${name}.yaml`), 'utf8')).join('\n---\n'),
  )
  return [
    ...['--kubeconfig', kubeconfig, '--config', config, '--manage-all-nodes', '--node-lease-duration-seconds', '40'],
    ...['--cidr', '10.0.0.0/8', '--node-ip', '10.0.0.1'],
  ]
}

function sourceFolder(): string {
  const listed = spawnSync('go', ['mod', 'download', '-json', `sigs.k8s.io/kwok@${KWOK_VERSION}`], { encoding: 'utf8' })
  return (JSON.parse(listed.stdout) as { Dir: string }).Dir
}
