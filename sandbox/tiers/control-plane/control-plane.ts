import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ControlPlaneError, ensureBinaries, KUBERNETES_VERSION, type Program } from './binaries.ts'
import { folderPrefix, removeOrphans } from './orphans.ts'
import { apiserverFlags, createPki, type Pki } from './pki.ts'
import { answersOk, freePorts, listensOn } from './ready.ts'
import { Supervised } from './supervised.ts'

export interface ControlPlaneOptions {
  version?: string
  /** Also run kube-scheduler; the strings are added to its flags. */
  scheduler?: readonly string[]
  /** Also run kube-controller-manager; the strings are added to its flags. */
  controllerManager?: readonly string[]
  apiserver?: readonly string[]
  /** Whether etcd waits for its disk, as it does outside of tests. Default false. */
  fsync?: boolean
  /**
   * What is waited for. `ready`, the default: `/readyz`. `serving`, a second earlier: objects can be written, while roles and priority classes
   * are still being made and the controller manager waits for them; see `ControlPlane.ready`.
   */
  until?: 'serving' | 'ready'
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
  /** Waits for `/readyz`. Fails like `startControlPlane`. */
  ready(): Promise<void>
  /** Resolves, with why, when a program or what holds them ended unasked. The rest is ended by `stop`. */
  readonly lost: Promise<string>
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
  const running = new Running(version, mkdtempSync(join(tmpdir(), folderPrefix())))
  try {
    await running.startServers(options)
    await Promise.all([
      options.controllerManager && running.restart('kube-controller-manager', options.controllerManager),
      options.scheduler && running.restart('kube-scheduler', options.scheduler),
    ])
    if (options.until !== 'serving') await running.ready()
    return running
  } catch (error) {
    await running.stop()
    throw error
  }
}

class Running implements ControlPlane {
  readonly folder: string
  readonly token = randomBytes(32).toString('hex')
  readonly lost: Promise<string>
  server = ''
  kubeconfig = ''
  pki!: Pki
  private readonly version: string
  private readonly programs: Supervised

  constructor(version: string, folder: string) {
    this.version = version
    this.folder = folder
    this.programs = new Supervised(folder)
    this.lost = this.programs.lost
  }

  async startServers(options: ControlPlaneOptions): Promise<void> {
    const { folder, token } = this
    // of an elliptic curve: those of RSA take a third of a second to make
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const keep = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text, { mode: 0o600 })
    keep('sa.key', privateKey.export({ type: 'sec1', format: 'pem' }))
    keep('sa.pub', publicKey.export({ type: 'spki', format: 'pem' }))
    keep('tokens.csv', `${token},seatrial,1,"system:masters"\n`)
    const [clientPort, peerPort, port] = (await freePorts(3)) as [number, number, number]
    const client = `http://127.0.0.1:${clientPort}`
    const peer = `http://127.0.0.1:${peerPort}`
    const etcd = this.run('etcd', [
      ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
      // one member is its own leader as soon as it stands for election
      ...['--heartbeat-interval', '20', '--election-timeout', '100'],
      ...(options.fsync ? [] : ['--unsafe-no-fsync']),
    ])
    ;[this.pki] = await Promise.all([createPki(folder), etcd])
    // an API server that finds nobody there tries again a whole second later
    await this.until('etcd', () => listensOn(clientPort))
    await this.run('kube-apiserver', [
      ...apiserverFlags(this.pki),
      ...['--etcd-servers', client, '--secure-port', `${port}`, '--bind-address', '127.0.0.1'],
      ...['--token-auth-file', join(folder, 'tokens.csv')],
      ...['--service-account-key-file', join(folder, 'sa.pub')],
      ...['--service-account-signing-key-file', join(folder, 'sa.key')],
      ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-cluster-ip-range', '10.96.0.0/16'],
      ...['--authorization-mode', 'RBAC', ...(options.apiserver ?? [])],
    ])
    this.server = `https://127.0.0.1:${port}`
    this.kubeconfig = kubeconfigOf(this.server, token, this.pki.ca)
    keep('kubeconfig', this.kubeconfig)
    await this.until('kube-apiserver', () => this.answers('/api/v1/namespaces/kube-node-lease'))
  }

  ready(): Promise<void> {
    return this.until('kube-apiserver', () => this.answers('/readyz'))
  }

  async restart(program: 'kube-scheduler' | 'kube-controller-manager', flags: readonly string[]): Promise<void> {
    await this.programs.stop(program)
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
    return this.programs.log(program)
  }

  stop(): Promise<void> {
    return this.programs.close()
  }

  private async run(program: Program, args: readonly string[]): Promise<void> {
    const { [program]: command } = await ensureBinaries([program], this.version)
    await this.programs.start(program, command, args)
  }

  private answers(path: string): Promise<boolean> {
    return answersOk({ server: this.server, token: this.token, ca: this.pki.ca }, path)
  }

  /** Waits until a program does what is asked of it. */
  private async until(program: Program, done: () => Promise<boolean>): Promise<void> {
    const expired = AbortSignal.timeout(READY_MS)
    while (!(await done())) {
      for (const one of ['etcd', 'kube-apiserver'] as const) {
        const end = this.programs.endOf(one)
        if (end !== undefined) throw new ControlPlaneError('CONTROL_PLANE_START', `${one} ${end}:\n${this.log(one)}`)
      }
      if (expired.aborted)
        throw new ControlPlaneError(
          'CONTROL_PLANE_START',
          `${program} was not ready within ${READY_MS / 1000} s:\n${this.log(program)}`,
        )
      await wait(15)
    }
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
