import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { HelmSources, KustomizeSources, Origin, PlatformObject } from '../platform.ts'
import type { Reading } from '../read.ts'
import type { RenderCommand } from '../render.ts'
import { kustomizationIn } from './kustomizations.ts'

/** Finds, for every rendered object, the files of the repository it was made from. */
export function traceOrigins(objects: readonly PlatformObject[], reading: Reading, cwd: string): PlatformObject[] {
  const commands = new Map(reading.files.flatMap(({ file, rendered }) => (rendered ? [[file, rendered] as const] : [])))
  let repository: Repository | undefined
  const lookup = () => {
    repository ??= repositoryIn(cwd)
    return repository
  }
  return objects.map((object) => {
    const command = commands.get(object.parsed.source.file)
    const builtBy = command && kustomizeRoot(command)
    const origin: Origin | undefined = object.origin ?? (builtBy ? { tool: 'kustomize', file: '' } : undefined)
    if (!origin) return object
    const sources =
      origin.tool === 'helm'
        ? helmSources(origin.file, command, cwd, lookup)
        : kustomizeSources(origin.file, builtBy, cwd, lookup)
    return { ...object, origin: { ...origin, ...(sources ? { sources } : {}) } }
  })
}

interface Repository {
  readonly charts: ReadonlyMap<string, readonly string[]>
  readonly kustomizations: readonly string[]
}

/** Folders looked through for charts and kustomizations of text that came by standard input. */
const FOLDERS_MAX = 5000

function repositoryIn(cwd: string): Repository {
  const charts = new Map<string, string[]>()
  const kustomizations: string[] = []
  const waiting = [cwd]
  for (let i = 0; i < waiting.length && i < FOLDERS_MAX; i++) {
    const folder = waiting[i]!
    if (existsSync(join(folder, 'Chart.yaml'))) {
      const name = chartName(folder)
      charts.set(name, [...(charts.get(name) ?? []), folder])
      continue
    }
    if (kustomizationIn(folder)) kustomizations.push(folder)
    waiting.push(...foldersIn(folder))
  }
  return { charts, kustomizations }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .map((entry) => join(folder, entry.name))
      .sort()
  } catch {
    return []
  }
}

const chartName = (folder: string): string => {
  try {
    return /^name:\s*["']?([^\s"'#]+)/m.exec(readFileSync(join(folder, 'Chart.yaml'), 'utf8'))?.[1] ?? basename(folder)
  } catch {
    return basename(folder)
  }
}

/** `chat/charts/vllm/templates/deployment.yaml`: the name of the chart, folders of its subcharts, the template. */
function helmSources(
  file: string,
  command: RenderCommand | undefined,
  cwd: string,
  lookup: () => Repository,
): HelmSources | undefined {
  const [name = '', ...rest] = file.split('/')
  const options = command ? helmOptions(command) : { words: [], values: [], set: [] }
  const named = options.words.filter((word) => existsSync(join(word, 'Chart.yaml')))
  const folders = command ? named : (lookup().charts.get(name) ?? [])
  const folder = folders.find((one) => existsSync(join(one, ...rest)))
  if (!folder) return undefined
  const subcharts = rest.slice(0, rest.indexOf('templates')).filter((part) => part !== 'charts')
  const chain = subcharts.map((_, i) => join(folder, ...subcharts.slice(0, i + 1).flatMap((sub) => ['charts', sub])))
  const charts = [folder, ...chain]
  return {
    tool: 'helm',
    template: join(folder, ...rest),
    chart: charts.at(-1)!,
    values: [
      ...[...options.values].reverse().map((values) => ({ file: values, under: subcharts })),
      ...charts.map((chart, i) => ({ file: join(chart, 'values.yaml'), under: subcharts.slice(i) })),
    ].filter((values) => existsSync(values.file)),
    set: options.set.filter(() => subcharts.length === 0),
    ...(command ? { command: command.at } : {}),
    cwd,
  }
}

/** The folders, files of values and settings a helm command names. */
function helmOptions({ argv, cwd }: RenderCommand): { words: string[]; values: string[]; set: string[] } {
  const values: string[] = []
  const set: string[] = []
  const words: string[] = []
  for (let i = 1; i < argv.length; i++) {
    const [flag, inline] = argv[i]!.startsWith('--') ? (argv[i]!.split(/=(.*)/s) as [string, string?]) : [argv[i]!]
    if (flag === '-f' || flag === '--values') values.push(...(inline ?? argv[++i] ?? '').split(','))
    else if (/^--set(-string|-json|-file|-literal)?$/.test(flag)) set.push(inline ?? argv[++i] ?? '')
    else if (!flag.startsWith('-')) words.push(resolve(cwd, flag))
  }
  return { words, values: values.map((file) => resolve(cwd, file)), set }
}

/** The folder a command builds with kustomize. */
function kustomizeRoot({ argv, cwd }: RenderCommand): string | undefined {
  const program = basename(argv[0]!).replace(/\.exe$/i, '')
  if (program !== 'kustomize' && !argv.includes('kustomize')) return undefined
  const words = argv.slice(1).filter((word) => !word.startsWith('-') && word !== 'build' && word !== 'kustomize')
  return [...words.map((word) => resolve(cwd, word)), cwd].find((folder) => kustomizationIn(folder) !== undefined)
}

/** `path` is relative to the folder that was built; which one that was is not told to those who read standard input. */
function kustomizeSources(
  path: string,
  builtBy: string | undefined,
  cwd: string,
  lookup: () => Repository,
): KustomizeSources | undefined {
  const holds = (root: string) => path !== '' && existsSync(resolve(root, path))
  const roots = builtBy ? [builtBy] : lookup().kustomizations.filter(holds)
  const root = roots[0]
  if (!root || roots.length > 1) {
    // several overlays share a base: the resource is the same, the patches are not
    const resources = new Set(roots.map((one) => resolve(one, path)))
    const [resource] = resources
    return resource && resources.size === 1 ? { tool: 'kustomize', root: dirname(resource), resource, cwd } : undefined
  }
  return { tool: 'kustomize', root, ...(holds(root) ? { resource: resolve(root, path) } : {}), cwd }
}
