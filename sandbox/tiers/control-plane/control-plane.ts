import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ControlPlaneError, ensureBinaries, KUBERNETES_VERSION, type Program } from './binaries.ts'
import { FOLDER_PREFIX, removeOrphans } from './orphans.ts'
import { apiserverFlags, createPki, type Pki } from './pki.ts'

export interface ControlPlaneOptions {
  version?: string
  /** Also run kube-scheduler; the strings are added to its flags. */
  scheduler?: readonly string[]
  /** Also run kube-controller-manager; the strings are added to its flags. */
  controllerManager?: readonly string[]
  apiserver?: readonly string[]
  /** Whether etcd waits for its disk, as it does outside of tests. Default false. */
  fsync?: boolean
}

/** A real control plane on loopback. */
export interface ControlPlane {
  readonly server: string
  readonly token: string
  /** A kubeconfig of a member of system:masters, as text. */
  readonly kubeconfig: string
  /** Holds the kubeconfig as a file, the logs and the data; removed by `stop`. */
  readonly folder: string
  /** The certificates it trusts, for servers of ours that it is to ask. */
  readonly pki: Pki
  /** The last lines of a program's log. */
  log(program: Program): string
  /** Starts the scheduler or controller manager, again if it ran before, with these flags added. */
  restart(program: 'kube-scheduler' | 'kube-controller-manager', flags: readonly string[]): Promise<void>
  /** Ends all it started and removes the folder. */
  stop(): Promise<void>
}

const READY_MS = 60_000

/**
 * Starts etcd and kube-apiserver, and what else is asked for, and waits until the API server is ready (about 3 s).
 * The programs live and die with a supervisor of their own, which ends them when this process does, however it ends.
 * Fails with `ControlPlaneError`; CONTROL_PLANE_START carries the end of the log.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const version = options.version ?? KUBERNETES_VERSION
  const more: Program[] = [
    ...(options.scheduler ? (['kube-scheduler'] as const) : []),
    ...(options.controllerManager ? (['kube-controller-manager'] as const) : []),
  ]
  await ensureBinaries(['etcd', 'kube-apiserver', ...more], version)
  removeOrphans()
  const running = new Running(version, mkdtempSync(join(tmpdir(), FOLDER_PREFIX)))
  try {
    await running.startServers(options)
    if (options.scheduler) await running.restart('kube-scheduler', options.scheduler)
    if (options.controllerManager) await running.restart('kube-controller-manager', options.controllerManager)
    return running
  } catch (error) {
    await running.stop()
    throw error
  }
}

/** What the supervisor says of a program. */
interface Told {
  name: string
  started?: boolean
  exited?: unknown
  failed?: string
}

class Running implements ControlPlane {
  readonly folder: string
  readonly token = randomBytes(16).toString('hex')
  server = ''
  kubeconfig = ''
  pki!: Pki
  private readonly version: string
  private readonly supervisor: ChildProcess
  private readonly exits = new Map<string, string>()
  private readonly answers = new Map<string, () => void>()

  constructor(version: string, folder: string) {
    this.version = version
    this.folder = folder
    const script = fileURLToPath(new URL('./supervisor.js', import.meta.url))
    // a group of its own: Ctrl-C in a terminal must reach the supervisor through us, in order
    this.supervisor = spawn(process.execPath, [script, folder], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
    createInterface({ input: this.supervisor.stdout! }).on('line', (line) => {
      const { name, exited, failed, started } = JSON.parse(line) as Told
      if (!started) this.exits.set(name, failed ?? `ended with ${String(exited)}`)
      this.answers.get(name)?.()
    })
    this.supervisor.stdin!.on('error', () => {})
    this.supervisor.on('exit', () => {
      for (const answer of this.answers.values()) answer()
    })
  }

  async startServers(options: ControlPlaneOptions): Promise<void> {
    const { folder, token } = this
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const keep = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text, { mode: 0o600 })
    keep('sa.key', privateKey.export({ type: 'pkcs1', format: 'pem' }))
    keep('sa.pub', publicKey.export({ type: 'spki', format: 'pem' }))
    keep('tokens.csv', `${token},seatrial,1,"system:masters"\n`)
    const [clientPort, peerPort, port] = await freePorts(3)
    const client = `http://127.0.0.1:${clientPort}`
    const peer = `http://127.0.0.1:${peerPort}`
    const etcd = this.run('etcd', [
      ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
      ...(options.fsync ? [] : ['--unsafe-no-fsync']),
    ])
    ;[this.pki] = await Promise.all([createPki(folder), etcd])
    await this.run('kube-apiserver', [
      ...apiserverFlags(this.pki),
      ...['--etcd-servers', client, '--secure-port', `${port}`, '--bind-address', '127.0.0.1'],
      ...['--token-auth-file', join(folder, 'tokens.csv')],
      ...[
        '--service-account-key-file',
        join(folder, 'sa.pub'),
        '--service-account-signing-key-file',
        join(folder, 'sa.key'),
      ],
      ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-cluster-ip-range', '10.96.0.0/16'],
      ...['--authorization-mode', 'RBAC', ...(options.apiserver ?? [])],
    ])
    this.server = `https://127.0.0.1:${port}`
    await this.ready()
    this.kubeconfig = kubeconfigOf(this.server, token, this.pki.ca)
    keep('kubeconfig', this.kubeconfig)
  }

  async restart(program: 'kube-scheduler' | 'kube-controller-manager', flags: readonly string[]): Promise<void> {
    this.send({ stop: program })
    for (let waited = 0; this.isRunning(program) && waited < 10_000; waited += 20) await wait(20)
    const config = join(this.folder, 'kubeconfig')
    const own =
      program === 'kube-scheduler'
        ? []
        : [
            ...['--service-account-private-key-file', join(this.folder, 'sa.key')],
            ...['--root-ca-file', this.pki.files['ca.crt'], '--use-service-account-credentials=true'],
          ]
    await this.run(program, ['--kubeconfig', config, '--secure-port', '0', '--leader-elect=false', ...own, ...flags])
  }

  log(program: Program): string {
    try {
      return readFileSync(join(this.folder, `${program}.log`), 'utf8')
        .split('\n')
        .slice(-15)
        .join('\n')
    } catch {
      return ''
    }
  }

  async stop(): Promise<void> {
    if (this.supervisor.exitCode !== null || this.supervisor.signalCode !== null) return
    const ended = new Promise((resolve) => this.supervisor.once('exit', resolve))
    this.supervisor.stdin!.end()
    await ended
  }

  private readonly started = new Set<string>()

  private isRunning(program: Program): boolean {
    return this.started.has(program) && !this.exits.has(program)
  }

  private async run(program: Program, args: readonly string[]): Promise<void> {
    const { [program]: command } = await ensureBinaries([program], this.version)
    this.exits.delete(program)
    this.started.add(program)
    const answered = new Promise<void>((resolve) => this.answers.set(program, resolve))
    this.send({ start: { name: program, command, args } })
    await answered
  }

  private send(message: unknown): void {
    this.supervisor.stdin!.write(`${JSON.stringify(message)}\n`)
  }

  /** Waits for `/readyz`. */
  private async ready(): Promise<void> {
    const expired = AbortSignal.timeout(READY_MS)
    while (!expired.aborted) {
      for (const program of ['etcd', 'kube-apiserver'] as const)
        if (this.exits.has(program))
          throw new ControlPlaneError(
            'CONTROL_PLANE_START',
            `${program} ${this.exits.get(program)}:\n${this.log(program)}`,
          )
      if (await isReady(this.server, this.token, this.pki.ca)) return
      await wait(50)
    }
    throw new ControlPlaneError(
      'CONTROL_PLANE_START',
      `kube-apiserver was not ready within ${READY_MS / 1000} s:\n${this.log('kube-apiserver')}`,
    )
  }
}

function kubeconfigOf(server: string, token: string, ca: string): string {
  const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'seatrial', cluster }],
    users: [{ name: 'seatrial', user: { token } }],
    contexts: [{ name: 'seatrial', context: { cluster: 'seatrial', user: 'seatrial' } }],
    'current-context': 'seatrial',
  })
}

function isReady(server: string, token: string, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(
      `${server}/readyz`,
      { ca, agent: false, headers: { authorization: `Bearer ${token}` } },
      (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      },
    )
    sent.on('error', () => resolve(false))
    sent.setTimeout(2_000, () => sent.destroy())
    sent.end()
  })
}

/** Ports nobody listens on now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server))
      })
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
