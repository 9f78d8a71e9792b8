import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { whyUnavailable } from '../../sandbox/tiers/control-plane/binaries.ts'

/** What an operator does with kubectl on any cluster, on a sandbox that stays. */

const run = promisify(execFile)
const BIN = fileURLToPath(new URL('../bin.js', import.meta.url))
const unavailable = await whyUnavailable()

const CONFIG = `nodes:
  - { name: gpu, count: 2, cpu: 128, memory: 1Ti, gpu: { product: NVIDIA-H100-80GB-HBM3, count: 8 } }
registry: { bandwidth: 100GB/s }
`
const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: llm }\n'
const CHAT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: chat, namespace: llm }
spec:
  replicas: 2
  selector: { matchLabels: { app: chat } }
  template:
    metadata: { labels: { app: chat } }
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.32.0
          args: [--model, Qwen/Qwen3-32B, --tensor-parallel-size, "4"]
          ports: [{ containerPort: 8000 }]
          readinessProbe: { httpGet: { path: /health, port: 8000 }, periodSeconds: 1 }
          resources: { limits: { cpu: "8", memory: 64Gi, nvidia.com/gpu: "4" } }
`

describe.skipIf(unavailable)('an operator on a sandbox that stays', () => {
  let root: string
  let env: NodeJS.ProcessEnv
  let watching: ChildProcess | undefined
  let watched = ''

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'seatrial-session-'))
    mkdirSync(join(root, 'deploy'))
    writeFileSync(join(root, 'deploy/seatrial.yaml'), CONFIG)
    writeFileSync(join(root, 'deploy/namespace.yaml'), NAMESPACE)
    writeFileSync(join(root, 'chat.yaml'), CHAT)
    env = {
      ...process.env,
      NO_COLOR: '1',
      XDG_STATE_HOME: join(root, 'state'),
      HOME: root,
      XDG_CACHE_HOME: cacheHome(),
    }
    const up = await seatrial('up', '--cluster', 'local', 'deploy', '--load-time', '3s', '--qps', '1000')
    const kubeconfig = /^export KUBECONFIG=(.+)$/m.exec(up)![1]!
    env = { ...env, KUBECONFIG: kubeconfig }
  }, 240_000)

  afterAll(async () => {
    watching?.kill()
    if (!root) return
    await seatrial('down')
    rmSync(root, { recursive: true, force: true })
  }, 60_000)

  /** The folder of the programs stays the user's, whatever HOME is. */
  const cacheHome = () => process.env['XDG_CACHE_HOME'] || join(process.env['HOME'] ?? '', '.cache')

  const told = async (program: string, args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await run(program, args, { cwd: root, env, maxBuffer: 1e8 }).catch((error) => {
      throw new Error(`${args.join(' ')}: ${error.stderr}${error.stdout}`)
    })
    const report = process.env['SEATRIAL_SESSION_REPORT']
    if (report)
      appendFileSync(
        report,
        `$ ${program === process.execPath ? 'seatrial' : 'kubectl'} ${args.filter((arg) => arg !== BIN).join(' ')}\n${stderr}${stdout}\n`,
      )
    return `${stdout}${stderr}`
  }
  const seatrial = (...args: string[]) => told(process.execPath, [BIN, ...args])
  const kubectl = (line: string) => told(join(root, 'state/seatrial/sandboxes/default/bin/kubectl'), line.split(' '))

  it('sees its nodes with their GPUs', async () => {
    const nodes = await kubectl('get nodes -L nvidia.com/gpu.product')
    expect(nodes.match(/^gpu-\d +Ready .*NVIDIA-H100-80GB-HBM3$/gm)).toHaveLength(2)
    expect(await kubectl('describe node gpu-0')).toMatch(/Capacity:[\s\S]*nvidia\.com\/gpu: +8/)
    expect(await kubectl('auth whoami')).toContain('system:masters')
  })

  it('applies a Deployment of vLLM and watches its pods become Ready', { timeout: 180_000 }, async () => {
    watching = spawn(join(root, 'state/seatrial/sandboxes/default/bin/kubectl'), ['get', 'pods', '-n', 'llm', '-w'], {
      env,
    })
    watching.stdout!.on('data', (chunk) => {
      watched += String(chunk)
    })
    // from here on the watch sees all: it has shown what was there before
    await kubectl('run first -n llm --image=nginx')
    for (let i = 0; i < 600 && !/^first/m.test(watched); i++) await wait(100)
    await kubectl('delete pod -n llm first --now')
    expect(await kubectl('apply -f chat.yaml')).toBe('deployment.apps/chat created\n')
    expect(await kubectl('rollout status -n llm deployment/chat --timeout=150s')).toContain('successfully rolled out')
    for (let i = 0; i < 100 && new Set(watched.match(/^chat-\S+ +1\/1 +Running/gm)).size < 2; i++) await wait(100)
    expect(watched).toMatch(/^chat-\S+ +0\/1 +Pending/m)
    expect(watched).toMatch(/^chat-\S+ +0\/1 +ContainerCreating/m)
    expect(new Set(watched.match(/^chat-\S+ +1\/1 +Running/gm)).size).toBe(2)
  })

  it('describes a pod and reads its events and its log', { timeout: 60_000 }, async () => {
    // of several at once kubectl tells no events
    const [pod] = (await kubectl('get pods -n llm -o name')).split('\n')
    const described = await kubectl(`describe -n llm ${pod}`)
    for (const event of ['Scheduled', 'Pulled', 'Created', 'Started']) expect(described).toContain(event)
    expect(await kubectl('logs -n llm deployment/chat')).toMatch(/vLLM|Qwen\/Qwen3-32B/)
  })

  it('scales, restarts and follows the rollout', { timeout: 240_000 }, async () => {
    await kubectl('scale -n llm deployment/chat --replicas=3')
    await kubectl('rollout status -n llm deployment/chat --timeout=100s')
    expect(await kubectl('rollout restart -n llm deployment/chat')).toContain('restarted')
    expect(await kubectl('rollout status -n llm deployment/chat --timeout=200s')).toContain('successfully rolled out')
    expect(await kubectl('rollout history -n llm deployment/chat')).toMatch(/^2 /m)
    expect(await kubectl('get deployment -n llm chat')).toMatch(/3\/3 +3 +3/)
  })

  it('sees what nodes and pods use', { timeout: 150_000 }, async () => {
    let top = ''
    for (let i = 0; i < 60 && !/^chat-/m.test(top); i++) {
      top = await kubectl('top pods -n llm').catch(() => '')
      if (!/^chat-/m.test(top)) await wait(2_000)
    }
    expect(top).toMatch(/^chat-\S+ +\d+m +\d+Mi/m)
    expect(await kubectl('top nodes')).toMatch(/^gpu-0 +\d+m/m)
  })

  it('drains a node and takes it back', { timeout: 120_000 }, async () => {
    expect(await kubectl('drain gpu-1 --ignore-daemonsets --delete-emptydir-data --timeout=90s')).toContain(
      'node/gpu-1 drained',
    )
    expect(await kubectl('get nodes')).toMatch(/^gpu-1 +Ready,SchedulingDisabled/m)
    await kubectl('uncordon gpu-1')
    expect(await kubectl('get nodes')).toMatch(/^gpu-1 +Ready +/m)
  })

  it('is seen by status, and read by logs', { timeout: 60_000 }, async () => {
    const { sandboxes } = JSON.parse(
      await seatrial('status', '-o', 'json').then((text) => text.slice(0, text.lastIndexOf('}') + 1)),
    )
    expect(sandboxes).toMatchObject([
      { name: 'default', tier: 'local', phase: 'up', nodes: { ready: 2, total: 2 }, apiRequestsPerSecond: 1000 },
    ])
    expect(sandboxes[0].processes.map((one: { name: string }) => one.name).sort()).toEqual(
      ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'seatrial', 'supervisor'].sort(),
    )
    expect(await seatrial('logs', 'kube-scheduler')).toContain('Starting Kubernetes Scheduler')
    await expect(seatrial('up')).rejects.toThrow(/sandbox «default» is up since .* \[SANDBOX_EXISTS\]/)
  })

  it('leaves the kubeconfig of the user alone', async () => {
    await expect(run('ls', [join(root, '.kube/config')])).rejects.toThrow(/No such file/)
  })
})
