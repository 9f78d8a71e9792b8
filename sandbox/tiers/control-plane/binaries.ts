import { execFile, spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const KUBERNETES_VERSION = '1.36.3'

export type Program = 'etcd' | 'kube-apiserver' | 'kube-scheduler' | 'kube-controller-manager' | 'kubectl'

/** Where the control plane's programs of one version are kept once built. */
export const binaryCache = (version = KUBERNETES_VERSION): string =>
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'seatrial', `k8s-${version}`)

export interface Found {
  readonly paths: Readonly<Partial<Record<Program, string>>>
  readonly missing: readonly Program[]
}

/** Looks in KUBEBUILDER_ASSETS, in the cache, then on PATH, where programs of another version of Kubernetes are passed over. Builds nothing. */
export async function findBinaries(programs: readonly Program[], version = KUBERNETES_VERSION): Promise<Found> {
  const assets = process.env['KUBEBUILDER_ASSETS']
  const folders = [...(assets ? [assets] : []), binaryCache(version)]
  const paths: Partial<Record<Program, string>> = {}
  for (const program of programs)
    paths[program] = (await firstExecutable(folders, program)) ?? (await onPath(program, version))
  return { paths, missing: programs.filter((program) => !paths[program]) }
}

/** Why no control plane can be had here; undefined when its programs are here or can be built. */
export async function whyUnavailable(version = KUBERNETES_VERSION): Promise<string | undefined> {
  const { missing } = await findBinaries(
    ['etcd', 'kube-apiserver', 'kube-scheduler', 'kube-controller-manager'],
    version,
  )
  if (missing.length === 0 || (await canBuild())) return undefined
  return `${missing.join(', ')} missing, and no Go to build them`
}

const canBuild = async (): Promise<boolean> =>
  (await firstExecutable((process.env['PATH'] ?? '').split(delimiter), 'go')) !== undefined

/**
 * The paths of the programs; what is missing is built into the cache first, with progress on standard error.
 * Fails with `ControlPlaneError` CONTROL_PLANE_MISSING without Go, CONTROL_PLANE_BUILD when the build fails.
 */
export async function ensureBinaries<P extends Program>(
  programs: readonly P[],
  version = KUBERNETES_VERSION,
): Promise<Record<P, string>> {
  let { paths, missing } = await findBinaries(programs, version)
  if (missing.length > 0) {
    if (!(await canBuild()))
      throw new ControlPlaneError(
        'CONTROL_PLANE_MISSING',
        `${missing.join(', ')} not found in KUBEBUILDER_ASSETS, ${binaryCache(version)} or PATH, and no Go to build them. ` +
          'Install Go 1.26 or newer, or point KUBEBUILDER_ASSETS at a folder with the programs.',
      )
    await build(missing, version)
    ;({ paths, missing } = await findBinaries(programs, version))
    if (missing.length > 0)
      throw new ControlPlaneError('CONTROL_PLANE_BUILD', `the build left out ${missing.join(', ')}`)
  }
  return paths as Record<P, string>
}

/** A control plane that cannot be had or does not come up. */
export class ControlPlaneError extends Error {
  readonly code: 'CONTROL_PLANE_MISSING' | 'CONTROL_PLANE_BUILD' | 'CONTROL_PLANE_START'

  constructor(code: ControlPlaneError['code'], message: string) {
    super(message)
    this.name = 'ControlPlaneError'
    this.code = code
  }
}

async function onPath(program: Program, version: string): Promise<string | undefined> {
  const path = await firstExecutable((process.env['PATH'] ?? '').split(delimiter), program)
  // etcd has versions of its own, and serves any Kubernetes of these years
  return path && (program === 'etcd' || (await saysVersion(path, program, version))) ? path : undefined
}

/** `Kubernetes v1.36.3`, `Client Version: v1.36.3`. */
async function saysVersion(path: string, program: Program, version: string): Promise<boolean> {
  const args = program === 'kubectl' ? ['version', '--client'] : ['--version']
  const said = await run(path, args, { timeout: 10_000 }).catch(() => ({ stdout: '' }))
  return said.stdout.split(/\s+/).includes(`v${version}`)
}

async function firstExecutable(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    if (!folder) continue
    const path = join(folder, name)
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  return undefined
}

async function build(programs: readonly Program[], version: string): Promise<void> {
  const script = fileURLToPath(new URL('./build.sh', import.meta.url))
  const child = spawn(script, [binaryCache(version)], {
    env: { ...process.env, K8S_VERSION: version, PROGRAMS: programs.join(' ') },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve))
  if (code !== 0)
    throw new ControlPlaneError(
      'CONTROL_PLANE_BUILD',
      `building ${programs.join(', ')} ended with ${code}; see the lines above`,
    )
}
