import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { nodeFiles, packageFiles, sourceFiles } from './files.ts'
import { type TarEntry, tarBytes } from './tar.ts'

export interface ImageOptions {
  /** `name:tag`. */
  readonly reference: string
  /** A static busybox, for probes that run a shell. */
  readonly busybox?: string
}

/** What programs of vLLM’s image are called, and what stands for them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'usr/local/bin/vllm': readFileSync(`${import.meta.dirname}/programs/vllm.js`, 'utf8'),
  'usr/local/bin/python3': readFileSync(`${import.meta.dirname}/programs/python3.js`, 'utf8'),
}

/** Commands of busybox that manifests call. */
const SHELL = ['sh', 'sleep', 'cat', 'ls', 'wget', 'kill', 'true']

/**
 * A container image of the server, as the archive that `docker save` writes and `docker load`, `kind load image-archive` and
 * `ctr images import` read. Made of this machine’s Node and of this repository: no registry is asked. Equal content gives equal bytes.
 */
export function imageArchive({ reference, busybox }: ImageOptions): Buffer {
  const base = layer([...folders(), ...nodeFiles(), ...shell(busybox)])
  const app = layer([...packageFiles(), ...sourceFiles(), ...programs()])
  const layers = [base, app]
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: CONFIG,
      rootfs: { type: 'layers', diff_ids: layers.map((bytes) => `sha256:${digest(bytes)}`) },
      history: layers.map(() => ({ created: '1970-01-01T00:00:00Z' })),
    }),
  )
  const names = layers.map((bytes) => `${digest(bytes)}/layer.tar`)
  const manifest = [{ Config: `${digest(config)}.json`, RepoTags: [reference], Layers: names }]
  return Buffer.concat([
    ...tarBytes([
      ...layers.map((content, i): TarEntry => ({ path: names[i]!, kind: 'file', mode: 0o644, content })),
      { path: `${digest(config)}.json`, kind: 'file', mode: 0o644, content: config },
      { path: 'manifest.json', kind: 'file', mode: 0o644, content: Buffer.from(JSON.stringify(manifest)) },
    ]),
  ])
}

/** As vLLM’s own image has it: arguments of `vllm serve` are the container’s. */
const CONFIG = {
  User: '65532:65532',
  WorkingDir: '/app',
  Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/tmp', 'NODE_ENV=production'],
  Entrypoint: ['vllm', 'serve'],
  ExposedPorts: { '8000/tcp': {} },
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

const layer = (entries: readonly TarEntry[]) =>
  Buffer.concat([...tarBytes(entries.toSorted((a, b) => (a.path < b.path ? -1 : 1)))])

const folders = (): TarEntry[] => [{ path: 'tmp', kind: 'folder', mode: 0o1777, content: Buffer.alloc(0) }]

const programs = (): TarEntry[] =>
  Object.entries(PROGRAMS).map(([path, text]) => ({ path, kind: 'file', mode: 0o755, content: Buffer.from(text) }))

function shell(busybox: string | undefined): TarEntry[] {
  if (busybox === undefined) return []
  if (!existsSync(busybox)) throw new Error(`no busybox at ${busybox}. Debian’s package busybox-static has one`)
  return [
    { path: 'bin/busybox', kind: 'file', mode: 0o755, content: readFileSync(busybox) },
    ...SHELL.map(
      (name): TarEntry => ({ path: `bin/${name}`, kind: 'link', mode: 0o777, content: Buffer.from('busybox') }),
    ),
  ]
}
