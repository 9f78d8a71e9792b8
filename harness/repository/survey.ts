import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { entries as entriesIn, kustomizationIn, kustomizationsFrom } from '../platform/origins/kustomizations.ts'

/** What a repository holds that could be judged. Paths are relative to its root, with `/`. */
export interface Survey {
  readonly charts: readonly FoundChart[]
  /** Kustomizations that no other one builds upon. */
  readonly kustomizations: readonly string[]
  /** Files with Kubernetes objects that belong to neither. */
  readonly manifests: readonly string[]
  /** Nothing is looked for in more folders than there may be. */
  readonly cutShort: boolean
}

export interface FoundChart {
  readonly name: string
  readonly folder: string
  /** Files of values for environments: `values-prod.yaml`. */
  readonly values: readonly string[]
}

const FOLDERS_MAX = 5000
const BYTES_MAX = 2e6
const SKIPPED = new Set(['node_modules', 'vendor', 'testdata'])
const VALUES = /^(values[-_.].+|.+[-_.]values)\.ya?ml$/i

/** Looks through folders for charts, kustomizations and plain manifests. Reads, and writes nothing. */
export function survey(root: string, paths: readonly string[] = ['.']): Survey {
  const charts: FoundChart[] = []
  const kustomized: string[] = []
  const files: string[] = []
  const waiting = paths.map((path) => resolve(root, path))
  let i = 0
  for (; i < waiting.length && i < FOLDERS_MAX; i++) {
    const folder = waiting[i]!
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      if (/\.(ya?ml|json)$/i.test(folder)) files.push(folder)
      continue
    }
    const entries = entriesOf(folder)
    const chart = entries.some(({ name }) => name === 'Chart.yaml') && chartIn(folder, root)
    if (chart) charts.push(chart)
    if (chart || entries.some(({ name }) => name === 'Chart.yaml')) continue
    if (kustomizationIn(folder)) kustomized.push(folder)
    for (const entry of entries) {
      if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) continue
      if (entry.isDirectory()) waiting.push(join(folder, entry.name))
      else if (/\.ya?ml$/i.test(entry.name)) files.push(join(folder, entry.name))
    }
  }
  const { roots, used, taken } = rootsOf(kustomized, root)
  const within = (file: string) =>
    taken.has(file) || used.has(file) || [...used].some((one) => dirname(one) === dirname(file))
  return {
    charts: charts.sort((a, b) => (a.folder < b.folder ? -1 : 1)),
    kustomizations: roots.map((folder) => named(folder, root)),
    manifests: files
      .filter((file) => !within(file) && holdsObjects(file))
      .map((file) => named(file, root))
      .sort(),
    cutShort: i < waiting.length,
  }
}

const entriesOf = (folder: string) => {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}

/** A chart with its values for environments, in its folder or beside it. Library charts render nothing. */
function chartIn(folder: string, root: string): FoundChart | undefined {
  const text = textOf(join(folder, 'Chart.yaml'))
  if (/^type:\s*["']?library/m.test(text)) return undefined
  const name = /^name:\s*["']?([^\s"'#]+)/m.exec(text)?.[1] ?? basename(folder)
  const near = [folder, dirname(folder)].filter((one) => one.startsWith(root))
  const values = near.flatMap((place) =>
    entriesOf(place)
      .filter((entry) => entry.isFile() && VALUES.test(entry.name))
      .map((entry) => named(join(place, entry.name), root)),
  )
  return { name, folder: named(folder, root), values }
}

/** Kustomizations no other builds upon, the kustomization files in use, and the files they take objects from, which may lie in other folders. */
function rootsOf(folders: readonly string[], root: string): { roots: string[]; used: Set<string>; taken: Set<string> } {
  const built = new Set<string>()
  const used = new Set<string>()
  const taken = new Set<string>()
  for (const folder of folders) {
    for (const { folder: one, file, fields } of kustomizationsFrom(folder, root)) {
      used.add(file)
      for (const path of entriesIn(fields)) taken.add(resolve(one, path))
      if (one !== folder) built.add(one)
    }
  }
  return { roots: folders.filter((folder) => !built.has(folder)).sort(), used, taken }
}

function holdsObjects(file: string): boolean {
  if (VALUES.test(basename(file)) || /(^|[\\/])(seatrial(\.snapshot)?|values|Chart)\.ya?ml$/.test(file)) return false
  const text = textOf(file)
  return /^(apiVersion|"apiVersion"):/m.test(text) && /^kind:/m.test(text) && !/^\s*\{\{/m.test(text)
}

function textOf(file: string): string {
  try {
    return statSync(file).size > BYTES_MAX ? '' : readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function named(path: string, root: string): string {
  const name = relative(root, path) || '.'
  return sep === '/' ? name : name.split(sep).join('/')
}
