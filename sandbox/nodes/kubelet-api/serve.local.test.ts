import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Journal } from '../../journal/journal.ts'
import { ConfigMap, Lease, Node, PersistentVolumeClaim, Pod, Secret } from '../../kube/kinds.ts'
import { RemoteCluster } from '../../kube/remote/remote-cluster.ts'
import { openRest } from '../../kube/remote/rest.ts'
import { PodNetwork } from '../../network/pod-network.ts'
import { ensureBinaries, whyUnavailable } from '../../tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../../tiers/control-plane/control-plane.ts'
import { vllmProgram } from '../../vllm/server/program.ts'
import { resolveLine } from '../../vllm/server/test-kit.ts'
import { WallClock } from '../../world/wall-clock.ts'
import { createWorld } from '../../world/world.ts'
import type { ProgramFor } from '../kubelet-context.ts'
import { kubeletFields, type RunningNode, startNode } from '../node.ts'
import { nodeAddresses } from '../node-object.ts'
import { plainProgram } from '../plain-program.ts'
import { Registry } from '../registry.ts'
import { testPod } from '../testkit.ts'
import { type ServedKubelets, serveKubelets } from './serve.ts'

const unavailable = await whyUnavailable()
const run = promisify(execFile)

const GPUS = { product: 'NVIDIA-H100-80GB-HBM3', memoryBytes: 81_559 * 2 ** 20, count: 2 }
const MODEL = 'meta-llama/Llama-3.1-8B-Instruct'

/** vLLM that is up in two seconds; a container that counts its lives and dies of the second line; servers nobody has described. */
const programFor: ProgramFor = (_, container) => {
  const resolved = resolveLine(`${MODEL} --max-model-len 8192`)
  if (container.name === 'vllm' && resolved.kind === 'runs') return vllmProgram(resolved, { totalLoadUs: 2e6 })
  if (container.name !== 'dies') return plainProgram({ startsIn: 0 })
  return {
    name: 'dies',
    start({ clock, log, exit }) {
      log('here I am')
      clock.after(1e6, () => {
        log('and gone')
        exit(3)
      })
      return { httpGet: () => ({ kind: 'refused' }), accepts: () => false, signal: () => undefined }
    },
  }
}

describe.skipIf(unavailable)('kubectl, on simulated pods', () => {
  let controlPlane: ControlPlane
  let cluster: RemoteCluster
  let kubelets: ServedKubelets
  let kubectlPath: string
  const nodes: RunningNode[] = []
  const errors: unknown[] = []
  const clock = WallClock.fromNow({ onError: (error) => errors.push(error) })
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })

  const args = (words: readonly string[]) => ['--kubeconfig', join(controlPlane.folder, 'kubeconfig'), ...words]
  const kubectl = async (...words: string[]) => (await run(kubectlPath, args(words))).stdout
  /** Of a command that fails: its exit code and what it says. */
  async function failing(...words: string[]): Promise<string> {
    try {
      await run(kubectlPath, args(words))
      return 'it did not fail'
    } catch (error) {
      const { code, stderr } = error as { code: number; stderr: string }
      return `${code}: ${stderr}`
    }
  }
  async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let i = 0; i < 600; i++) {
      if (await condition()) return
      await wait(100)
    }
    throw new Error(`not within a minute: ${what}`)
  }

  beforeAll(async () => {
    controlPlane = await startControlPlane({
      apiserver: ['--disable-admission-plugins=ServiceAccount,TaintNodesByCondition'],
    })
    const rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
    cluster = new RemoteCluster({ world, rest })
    kubectlPath = (await ensureBinaries(['kubectl'])).kubectl
    kubelets = await serveKubelets({ world, pki: controlPlane.pki, nodes: () => nodes, zeroMs: clock.zeroMs })
    const kube = cluster.kubeOf('kubelet/node-0', kubeletFields('node-0'))
    await kube.sync(Pod, Node, ConfigMap, Secret, PersistentVolumeClaim, Lease)
    nodes.push(
      startNode({
        ...{ world, kube, programFor, network: new PodNetwork(), kubeletApi: kubelets.address },
        node: { name: 'node-0', cpu: '64', memory: '512Gi', images: ['x'], gpu: GPUS, ...nodeAddresses(0) },
        registry: new Registry({ clock, images: () => ({ sizeBytes: 1e9 }) }),
        pullBytesPerSecond: 1e9,
      }),
    )
    const gpu = { resources: { limits: { 'nvidia.com/gpu': '2' } } }
    const env = [
      { name: 'MODEL', value: MODEL },
      { name: 'ME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hf', key: 'token', optional: true } } },
    ]
    const web = { name: 'web', ports: [{ containerPort: 80 }] }
    const pods = [
      testPod({ containers: [{ name: 'vllm', ...gpu, env }, web] }, 'chat'),
      testPod({ containers: [{ name: 'dies' }] }, 'dies'),
    ]
    const admin = cluster.kubeOf('kubectl')
    await admin.sync(Pod, Node)
    await until('the node', () => admin.list(Node).length > 0)
    world.spawn(
      'make',
      (function* () {
        for (const pod of pods) yield* admin.create(Pod, pod)
      })(),
    )
    await until('vLLM', async () =>
      (await kubectl('logs', 'chat', '-c', 'vllm').catch(() => '')).includes('startup complete'),
    )
  }, 300_000)
  afterAll(async () => {
    await kubelets?.close()
    cluster?.stop()
    clock.stop()
    await controlPlane?.stop()
    expect(errors).toEqual([])
  })

  it('logs has what the container wrote, as far back as asked', async () => {
    const log = await kubectl('logs', 'chat', '-c', 'vllm')
    expect(log).toMatch(
      /\(EngineCore pid=\d+\) INFO \S+ \S+ \[core.py:133\] Initializing a V1 LLM engine \(v0\.32\.0\)/,
    )
    expect(log.trim().split('\n').at(-1)).toBe('INFO:     Application startup complete.')
    expect(await kubectl('logs', 'chat', '-c', 'vllm', '--tail=1')).toBe('INFO:     Application startup complete.\n')
    expect(await kubectl('logs', 'chat', '-c', 'vllm', '--tail=1', '--limit-bytes=9')).toBe('INFO:    ')
    const stamped = await kubectl('logs', 'chat', '-c', 'vllm', '--tail=1', '--timestamps')
    expect(stamped).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}000Z INFO: {5}Application/)
    expect(Math.abs(Date.parse(stamped.slice(0, 23)) - Date.now())).toBeLessThan(60_000)
    expect(await kubectl('logs', 'chat', '-c', 'web')).toBe('')
    expect(await failing('logs', 'chat', '-c', 'nobody')).toContain('container nobody is not valid for pod chat')
    expect(await failing('logs', 'chat', '-c', 'web', '--previous')).toContain(
      'previous terminated container "web" in pod "chat" not found',
    )
  })

  it('logs --previous has those of the life before, and logs -f ends with the container', async () => {
    await until('a second life', async () => (await failing('logs', 'dies', '--previous')) === 'it did not fail')
    expect(await kubectl('logs', 'dies', '--previous')).toBe('here I am\nand gone\n')
    const followed = spawn(kubectlPath, args(['logs', '-f', 'dies']))
    const heard: string[] = []
    followed.stdout.setEncoding('utf8').on('data', (text: string) => heard.push(text))
    await new Promise((resolve) => followed.on('exit', resolve))
    expect(heard.join('')).toBe('here I am\nand gone\n')
  })

  it('exec runs what containers are known to have, with its exit code', async () => {
    const exec = (...words: string[]) => kubectl('exec', 'chat', '-c', 'vllm', '--', ...words)
    expect(await exec('hostname')).toBe('chat\n')
    expect(await exec('cat', '/etc/hostname')).toBe('chat\n')
    expect(await exec('printenv', 'MODEL', 'ME')).toBe(`${MODEL}\nchat\n`)
    expect(await exec('env')).toBe(`HOSTNAME=chat\nMODEL=${MODEL}\nME=chat\n`)
    const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
    expect(await exec('nvidia-smi', '-L')).toMatch(
      new RegExp(`^(GPU [01]: NVIDIA H100 80GB HBM3 \\(UUID: GPU-${uuid}\\)\n){2}$`),
    )
    const query = '--query-gpu=index,memory.total,utilization.gpu'
    expect(await exec('nvidia-smi', query, '--format=csv')).toBe(
      'index, memory.total [MiB], utilization.gpu [%]\n0, 81559 MiB, 0 %\n1, 81559 MiB, 0 %\n',
    )
    expect(await exec('curl', '-s', 'localhost:8000/metrics')).toContain('# TYPE vllm:num_requests_running gauge')
    expect(await exec('curl', '-s', 'localhost:8000/version')).toBe('{"version":"0.32.0"}')
    expect(
      await exec('sh', '-c', "curl -s -o /dev/null -w '%{http_code}\\n' localhost:8000/health && echo up $ME"),
    ).toBe('200\nup chat\n')
    expect(await exec('date', '+%s')).toMatch(/^\d{10}\n$/)
    const failed = (...words: string[]) => failing('exec', 'chat', '-c', 'vllm', '--', ...words)
    expect(await failed('false')).toBe('1: command terminated with exit code 1\n')
    expect(await failed('curl', '-sS', 'localhost:9')).toBe(
      '7: curl: (7) Failed to connect to localhost port 9 after 0 ms: Could not connect to server\ncommand terminated with exit code 7\n',
    )
  })

  it('exec refuses what is not simulated, and says so', async () => {
    const failed = (...words: string[]) => failing('exec', 'chat', '-c', 'vllm', '--', ...words)
    expect(await failed('vim', '/etc/passwd')).toMatch(
      /^126: seatrial: `vim` is not simulated in a container\. Simulated are cat, curl, date, .*\ncommand terminated with exit code 126\n$/,
    )
    expect(await failed('cat', '/etc/passwd')).toContain('seatrial: what /etc/passwd holds is not simulated')
    expect(await failed('bash')).toContain('seatrial: no shell is simulated')
    expect(await failed('printenv', 'TOKEN')).toContain('the value of TOKEN is not known here')
    expect(await failed('curl', '-s', 'localhost:80/')).toContain('its body is not simulated')
    expect(await failing('attach', 'chat', '-c', 'vllm')).toContain('`kubectl logs -f`')
    expect(await failing('port-forward', 'chat', ':8000')).toContain('no bytes can be forwarded to a simulated pod')
  })

  it('finds nobody on a node that went dark, and what is there again when it is back', async () => {
    const heal = nodes[0]!.disconnect()
    expect(await failing('logs', 'chat', '-c', 'vllm')).toMatch(/^1: .*chat/)
    heal()
    expect(await kubectl('logs', 'chat', '-c', 'vllm', '--tail=1')).toContain('startup complete')
  })

  it('says of a pod that waits why it has no logs', async () => {
    const admin = cluster.kubeOf('admin')
    const pod = testPod({ containers: [{ name: 'late', envFrom: [{ configMapRef: { name: 'nowhere' } }] }] }, 'late')
    world.spawn('make', admin.create(Pod, pod))
    const why = 'container "late" in pod "late" is waiting to start: CreateContainerConfigError'
    await until('the reason', async () => (await failing('logs', 'late')).includes(why))
  })

  it('answers nobody but the API server', async () => {
    await expect(fetch(`https://127.0.0.1:${kubelets.address.port}/healthz`)).rejects.toThrow('fetch failed')
  })
})
