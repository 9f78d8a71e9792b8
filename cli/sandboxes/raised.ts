import type { Platform } from '../../harness/platform/platform.ts'
import type { Stdin } from '../../harness/platform/read.ts'
import { commandText } from '../../harness/platform/render-words.ts'
import type { Setup } from '../../harness/setup.ts'
import { type ControlPlane, startControlPlane } from '../../sandbox/tiers/control-plane/control-plane.ts'
import type { ComingUp, LocalSandbox } from '../../sandbox/tiers/local/local-sandbox.ts'
import type { NodeGroup } from '../../sandbox/tiers/tier.ts'
import { UsageError } from '../failure.ts'
import { plural } from '../plural.ts'
import type { UpAnswer, UpRequest } from './requests.ts'
import type { SandboxState } from './state.ts'

type Request = Omit<UpRequest, 'stdin'> & { readonly stdin?: Stdin }

const PHASES: Readonly<Record<ComingUp, string>> = {
  'programs started': 'kube-scheduler started',
  'nodes registered': 'nodes registered',
}

/** Records a sandbox that stays keeps: they are for whoever looks at what went on just now. */
const RECORDS_KEPT = 20_000

/** A sandbox that is brought up as asked, and held until it is closed. */
export class Raised {
  private readonly request: Request
  private readonly tell: (one: UpAnswer) => void
  private sandbox: LocalSandbox | undefined
  private begun = performance.now()

  constructor(request: Request, tell: (one: UpAnswer) => void) {
    this.request = request
    this.tell = tell
  }

  /** Resolves, with why, when it ended by itself. */
  get lost(): Promise<string> {
    return this.sandbox!.controlPlane.lost
  }

  /** Fails with what a platform, a control plane or the API server has against it. */
  async up(): Promise<{ kubeconfig: string } & Pick<SandboxState, 'folder' | 'server' | 'nodes'>> {
    // the longest part, while the rest is loaded and read
    const starting = startControlPlane({ until: 'serving' })
    try {
      return await this.upOn(starting)
    } catch (error) {
      const controlPlane = await starting
      await controlPlane.stop()
      throw error
    }
  }

  private async upOn(starting: Promise<ControlPlane>) {
    const { request } = this
    this.tell({ progress: 'the control plane comes up' })
    const { LocalSandbox } = await import('../../sandbox/tiers/local/local-sandbox.ts')
    const { stayingSetup } = await import('../../harness/staying/setup.ts')
    const platform = request.paths.length > 0 ? await this.platform() : undefined
    const { options, objects } = stayingSetup({ ...request, ...(platform ? { platform } : {}) })
    // what is needed as soon as it answers
    await import('@kubernetes/client-node')
    await starting
    this.done('etcd and kube-apiserver serve')
    this.tell({ progress: 'scheduler and controllers come up' })
    const sandbox = await LocalSandbox.up({ ...options, objects }, starting, (phase) => this.done(PHASES[phase]))
    this.sandbox = sandbox
    this.forgetOldRecords(sandbox)
    const nodes = options.nodes.map(nodesText)
    this.done(`nodes Ready: ${nodes.join(', ')}`)
    if (objects.length > 0) await this.apply(sandbox, objects)
    const { kubeconfig, folder, server } = sandbox.controlPlane
    return { kubeconfig, folder, server, nodes }
  }

  async close(): Promise<void> {
    await this.sandbox?.close()
  }

  private async platform(): Promise<Platform> {
    const { paths, cwd, config, render, stdin } = this.request
    const { loadPlatform } = await import('../../harness/platform/load.ts')
    return await loadPlatform({
      paths,
      cwd,
      ...(config ? { config } : {}),
      ...(stdin ? { stdin } : {}),
      ...(render === undefined ? {} : { render }),
      onRender: ({ argv }) => this.tell({ progress: `rendering: ${commandText(argv)}` }),
    })
  }

  private async apply(sandbox: LocalSandbox, objects: Setup['objects']): Promise<void> {
    const { applyManifests } = await import('../../harness/apply-manifests.ts')
    const { ObjectsView } = await import('../../harness/objects-view.ts')
    const view = new ObjectsView()
    let applying = true
    sandbox.world.journal.subscribe((record) => {
      if (applying) view.apply(record)
    })
    const rejected = await applyManifests(objects, sandbox, view)
    applying = false
    if (rejected)
      throw new UsageError(
        'REJECTED',
        `the API server refuses ${rejected.object}: ${rejected.error.message}`,
        'Mend the manifest, or leave it out and apply it with kubectl once the sandbox is up.',
      )
    this.done(`${plural(objects.length, 'object')} applied`)
  }

  private forgetOldRecords({ world: { journal } }: LocalSandbox): void {
    journal.subscribe(() => {
      if (journal.records.length > 2 * RECORDS_KEPT) journal.records.splice(0, RECORDS_KEPT)
    })
  }

  private done(what: string): void {
    const now = performance.now()
    this.tell({ done: what, ms: Math.round(now - this.begun) })
    this.begun = now
  }
}

/** `4 × 8 NVIDIA-H100-80GB-HBM3`. */
const nodesText = ({ count, gpu, name }: NodeGroup): string =>
  gpu ? `${count} × ${gpu.count} ${gpu.product}` : `${count} ${name}`
