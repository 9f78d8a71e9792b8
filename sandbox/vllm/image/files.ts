import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TarEntry } from './tar.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** The interpreter and the libraries it is linked to, as they are on this machine. Throws an Error where this is not Linux. */
export function nodeFiles(): TarEntry[] {
  if (process.platform !== 'linux')
    throw new Error('the image is made from the programs of a Linux machine; this is none')
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /(\/\S+)/.exec(line.replace(/^.*=> /, ''))?.[1])
    .filter((path) => path !== undefined)
  return [
    fileAt('usr/local/bin/node', realpathSync(process.execPath), 0o755),
    ...libraries.map((path) => fileAt(path.slice(1), realpathSync(path), 0o755)),
  ]
}

/** Sources other than tests and what only tests and benches need. */
export function sourceFiles(): TarEntry[] {
  const LEFT_OUT =
    /(?:^|\/)(?:testing|bench|results|streams|recordings|oracles|kubernetes-schema)(?:\/|$)|\.test\.ts$|test-kit\.ts$|\.py$|\.go$/
  return ['cli', 'harness', 'sandbox', 'fixtures', 'package.json']
    .flatMap((path) => below(path, join(ROOT, path), (relative) => LEFT_OUT.test(relative)))
    .map((entry) => ({ ...entry, path: `app/${entry.path}` }))
}

/** Needed by other commands only. */
const UNUSED = new Set(['@kubernetes/client-node', '@peculiar/x509', 'reflect-metadata', 'ws'])

/** The packages that a server needs, with all that they depend on. */
export function packageFiles(): TarEntry[] {
  const { dependencies } = manifest(ROOT)
  const found = new Map<string, string>()
  const queue = Object.keys(dependencies ?? {})
    .filter((name) => !UNUSED.has(name))
    .map((name) => ({ name, from: ROOT }))
  for (let next = queue.pop(); next; next = queue.pop()) {
    const folder = packageFolder(next.name, next.from)
    if (folder === undefined || found.has(folder)) continue
    found.set(folder, next.name)
    queue.push(...Object.keys(manifest(folder).dependencies ?? {}).map((name) => ({ name, from: folder })))
  }
  return [...found.keys()]
    .sort()
    .flatMap((folder) => below(folder.slice(ROOT.length + 1), folder, (path) => /\.(?:[cm]?ts|map|md)$/.test(path)))
    .map((entry) => ({ ...entry, path: `app/${entry.path}` }))
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
}

const manifest = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

/** As Node looks for it. */
function packageFolder(name: string, from: string): string | undefined {
  for (let folder = from; folder.startsWith(ROOT); folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    if (existsSync(found)) return found
  }
  return undefined
}

const fileAt = (path: string, source: string, mode: number): TarEntry => ({
  path,
  kind: 'file',
  mode,
  content: readFileSync(source),
})

/** All files below a path, sorted; nested packages are found by themselves. */
function below(path: string, source: string, leftOut: (path: string) => boolean): TarEntry[] {
  if (leftOut(path)) return []
  const stat = lstatSync(source)
  if (stat.isFile()) return [fileAt(path, source, stat.mode & 0o111 ? 0o755 : 0o644)]
  if (!stat.isDirectory()) return []
  return readdirSync(source)
    .filter((name) => name !== 'node_modules')
    .sort()
    .flatMap((name) => below(`${path}/${name}`, join(source, name), leftOut))
}
