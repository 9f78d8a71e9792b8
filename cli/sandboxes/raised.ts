import { applyManifests } from '../../harness/apply-manifests.ts'
import { ObjectsView } from '../../harness/objects-view.ts'
import { loadPlatform } from '../../harness/platform/load.ts'
import type { Stdin } from '../../harness/platform/read.ts'
import { commandText } from '../../harness/platform/render-words.ts'
import { stayingSetup } from '../../harness/staying/setup.ts'
import { LocalSandbox } from '../../sandbox/tiers/local/local-sandbox.ts'
import type { NodeGroup } from '../../sandbox/tiers/tier.ts'
import { UsageError } from '../failure.ts'
import { plural } from '../plural.ts'
import type { UpAnswer, UpRequest } from './requests.ts'
import type { SandboxState } from './state.ts'

type Request = Omit<UpRequest, 'stdin'> & { readonly stdin?: Stdin }

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
    const { request } = this
    const platform = request.paths.length > 0 ? await this.platform() : undefined
    const { options, objects } = stayingSetup({ ...request, ...(platform ? { platform } : {}) })
    this.tell({ progress: 'the control plane and the nodes come up' })
    const sandbox = await LocalSandbox.up({ ...options, objects })
    this.sandbox = sandbox
    this.forgetOldRecords(sandbox)
    const nodes = options.nodes.map(nodesText)
    this.done(`control plane, nodes Ready: ${nodes.join(', ')}`)
    if (objects.length > 0) await this.apply(sandbox, objects)
    const { kubeconfig, folder, server } = sandbox.controlPlane
    return { kubeconfig, folder, server, nodes }
  }

  async close(): Promise<void> {
    await this.sandbox?.close()
  }

  private platform() {
    const { paths, cwd, config, render, stdin } = this.request
    return loadPlatform({
      paths,
      cwd,
      ...(config ? { config } : {}),
      ...(stdin ? { stdin } : {}),
      ...(render === undefined ? {} : { render }),
      onRender: ({ argv }) => this.tell({ progress: `rendering: ${commandText(argv)}` }),
    })
  }

  private async apply(sandbox: LocalSandbox, objects: Parameters<typeof applyManifests>[0]): Promise<void> {
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
