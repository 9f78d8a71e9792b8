import { execFile } from 'node:child_process'
import { access, constants, mkdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { build } from './build.ts'
import { cacheFolder } from './cache.ts'
import { type DownloadOptions, download, NoDownload } from './download.ts'
import { ControlPlaneError } from './errors.ts'
import { withLock } from './lock.ts'
import { downloadsAreOff, KUBERNETES_VERSION, type Program, releaseOf } from './releases.ts'
import { Steps } from './steps.ts'

export { ControlPlaneError } from './errors.ts'
export { KUBERNETES_VERSION, type Program } from './releases.ts'

const run = promisify(execFile)

/** Where the control plane's programs of one version are kept once they were downloaded or built. */
export const binaryCache = (version = KUBERNETES_VERSION): string => join(cacheFolder(), `k8s-${version}`)

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

/** Why no control plane can be had here; undefined when its programs are here, can be built, or may be downloaded. */
export async function whyUnavailable(version = KUBERNETES_VERSION): Promise<string | undefined> {
  const { missing } = await findBinaries(CONTROL_PLANE, version)
  if (missing.length === 0 || (await canBuild())) return undefined
  if (!downloadsAreOff() && missing.every((program) => releaseOf(program, version))) return undefined
  return `${missing.join(', ')} missing, and no Go to build them`
}

export const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-scheduler', 'kube-controller-manager'] as const

/** Whether programs can be built here. */
export const canBuild = async (): Promise<boolean> =>
  (await firstExecutable((process.env['PATH'] ?? '').split(delimiter), 'go')) !== undefined

/**
 * The paths of the programs. What is missing is downloaded into the cache, or else built there, with progress on standard error; of several
 * processes that want it one does, and the others wait. Fails with `ControlPlaneError`: CONTROL_PLANE_MISSING where it can be had in no way,
 * CONTROL_PLANE_CHECKSUM for a download that is not what was published, CONTROL_PLANE_BUILD when the build fails.
 */
export async function ensureBinaries<P extends Program>(
  programs: readonly P[],
  version = KUBERNETES_VERSION,
  options: DownloadOptions = {},
): Promise<Record<P, string>> {
  const found = await findBinaries(programs, version)
  if (found.missing.length === 0) return found.paths as Record<P, string>
  const folder = binaryCache(version)
  await mkdir(folder, { recursive: true })
  return await withLock(
    folder,
    async () => {
      // another process may have made them in the meantime
      const { missing } = await findBinaries(programs, version)
      const { left, why } = await downloaded(missing, { version, folder, options })
      if (left.length > 0) await built(left, { version, folder, why })
      const { paths, missing: none } = await findBinaries(programs, version)
      if (none.length > 0) throw new ControlPlaneError('CONTROL_PLANE_BUILD', `the build left out ${none.join(', ')}`)
      return paths as Record<P, string>
    },
    ({ pid }) =>
      new Steps().line(`waiting for another seatrial (process ${pid}), which gets ${found.missing.join(', ')}`),
  )
}

interface Place {
  readonly version: string
  readonly folder: string
}

/** Says what could not be downloaded and, once, why. A host that does not answer is not asked again. */
async function downloaded(
  programs: readonly Program[],
  { version, folder, options }: Place & { options: DownloadOptions },
): Promise<{ left: Program[]; why: string }> {
  if (downloadsAreOff()) return { left: [...programs], why: 'SEATRIAL_DOWNLOAD is off' }
  const left: Program[] = []
  const refused = new Map<string, string>()
  for (const program of programs) {
    const release = releaseOf(program, version)
    const host = release ? new URL(release.url).host : 'nothing'
    if (!release) refused.set(host, `no ${program} is published for ${process.platform}/${process.arch}`)
    if (!release || refused.has(host)) {
      left.push(program)
      continue
    }
    const steps = new Steps()
    const what = `downloading ${program} from ${host}`
    steps.begin(what)
    try {
      const onProgress = (bytes: number, total: number | undefined) => steps.bytes(what, bytes, total)
      await download(program, release, folder, { onProgress, ...options })
      steps.end(`downloaded ${program}, checksum verified`)
    } catch (error) {
      if (!(error instanceof NoDownload)) throw error
      steps.line(`no download of ${program}: ${error.message}`)
      refused.set(host, error.message)
      left.push(program)
    }
  }
  return { left, why: [...refused.values()].join('; ') }
}

async function built(programs: readonly Program[], { version, folder, why }: Place & { why: string }): Promise<void> {
  if (!(await canBuild()))
    throw new ControlPlaneError(
      'CONTROL_PLANE_MISSING',
      `${programs.join(', ')} not found in KUBEBUILDER_ASSETS, ${folder} or PATH; cannot be downloaded (${why}); and there is no Go to build them. ` +
        'Install Go 1.26 or newer, or point KUBEBUILDER_ASSETS at a folder with the programs.',
    )
  await build(programs, version, folder)
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
