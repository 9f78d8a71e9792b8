import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { decodeText } from './decode.ts'
import { PlatformError } from './errors.ts'
import type { Limits } from './limits.ts'
import type { Note } from './platform.ts'
import { readPipe } from './read-pipe.ts'
import type { RenderCommand } from './render.ts'

/** Standard input: a text, bytes, or a stream of them. */
export type Stdin = string | Uint8Array | AsyncIterable<Uint8Array | string>

export interface TextFile {
  /** As the user would name it: relative to the working directory where it is inside. */
  readonly file: string
  readonly text: string
  /** The command that wrote the text, where it is in no file. */
  readonly rendered?: RenderCommand
}

/** What reading found; errors are collected so that a user sees all of them at once. */
export interface Reading {
  readonly files: TextFile[]
  readonly notes: Note[]
  readonly errors: PlatformError[]
  /** Folders that hold a Helm chart, and how it would be rendered. */
  readonly charts: string[]
}

/** How standard input is called in positions. */
export const STDIN = 'stdin'

const MANIFEST = /\.(ya?ml|json)$/i

/**
 * Reads files, folders (recursively, in the order of their names) and standard input (`-`). Hidden entries, `node_modules` and Helm charts
 * are left out, the last with a note.
 */
export async function readAll(paths: readonly string[], cwd: string, limits: Limits, stdin?: Stdin): Promise<Reading> {
  const walk = new Walk(cwd, limits)
  for (const path of paths) {
    if (path === '-') await walk.stdin(stdin)
    else walk.given(path)
  }
  return walk
}

class Walk implements Reading {
  readonly files: TextFile[] = []
  readonly notes: Note[] = []
  readonly errors: PlatformError[] = []
  readonly charts: string[] = []
  private readonly seen = new Set<string>()
  private entries = 0
  private bytes = 0
  private readonly cwd: string
  private readonly limits: Limits

  constructor(cwd: string, limits: Limits) {
    this.cwd = cwd
    this.limits = limits
  }

  async stdin(stdin: Stdin | undefined): Promise<void> {
    if (stdin === undefined) return
    const chunks: Uint8Array[] = []
    let size = 0
    const stream = typeof stdin === 'string' || stdin instanceof Uint8Array ? [stdin] : stdin
    for await (const chunk of stream) {
      const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk
      size += bytes.length
      if (size > this.limits.fileBytes) {
        this.errors.push(tooLarge(STDIN, this.limits))
        return
      }
      chunks.push(bytes)
    }
    this.decode(STDIN, Buffer.concat(chunks))
  }

  given(path: string): void {
    const full = resolve(this.cwd, path)
    const stats = this.stat(full)
    if (!stats) return
    if (stats.isDirectory()) this.folder(full)
    else if (stats.isFile() || stats.isFIFO()) this.file(full, stats)
    else this.errors.push(unreadable(this.nameOf(full), 'it is neither a file nor a folder'))
  }

  private folder(path: string): void {
    const real = realpathSync(path)
    if (this.seen.has(real)) return
    this.seen.add(real)
    const names = this.list(path)
    if (!names) return
    if (names.includes('Chart.yaml') && names.includes('templates')) {
      this.chart(path)
      return
    }
    for (const name of names) {
      if (name.startsWith('.') || name === 'node_modules') continue
      if (++this.entries > this.limits.entries) {
        if (this.entries === this.limits.entries + 1) this.errors.push(tooMany(this.nameOf(path), this.limits))
        return
      }
      const full = join(path, name)
      const stats = this.stat(full)
      if (stats?.isDirectory()) this.folder(full)
      else if (stats?.isFile() && MANIFEST.test(name)) this.file(full, stats)
    }
  }

  private chart(path: string): void {
    const name = this.nameOf(path)
    this.charts.push(name)
    this.notes.push({
      file: name,
      message: `a Helm chart, not judged: pipe it (helm template ${name} | seatrial verify -) or render it by seatrial.yaml («seatrial init» writes that)`,
    })
  }

  private file(path: string, stats: Stats): void {
    const name = this.nameOf(path)
    this.bytes += stats.size
    if (stats.size > this.limits.fileBytes || this.bytes > this.limits.totalBytes) {
      this.errors.push(tooLarge(name, this.limits))
      return
    }
    try {
      const real = realpathSync(path)
      if (this.seen.has(real)) return
      this.seen.add(real)
      const bytes = stats.isFIFO() ? readPipe(path, this.limits.fileBytes) : readFileSync(path)
      if (bytes) this.decode(name, bytes)
      else this.errors.push(tooLarge(name, this.limits))
    } catch (error) {
      this.errors.push(unreadable(name, reason(error)))
    }
  }

  private decode(file: string, bytes: Uint8Array): void {
    try {
      this.files.push({ file, text: decodeText(file, bytes) })
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      this.errors.push(error)
    }
  }

  private list(path: string): string[] | undefined {
    try {
      return readdirSync(path).sort()
    } catch (error) {
      this.errors.push(unreadable(this.nameOf(path), reason(error)))
      return undefined
    }
  }

  private stat(path: string): Stats | undefined {
    try {
      return statSync(path)
    } catch (error) {
      this.errors.push(unreadable(this.nameOf(path), reason(error)))
      return undefined
    }
  }

  private nameOf(path: string): string {
    const name = relative(this.cwd, path)
    const shown = name === '' ? '.' : name.startsWith('..') ? path : name
    return sep === '/' ? shown : shown.split(sep).join('/')
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its symbolic links go round in a circle',
  EISDIR: 'it is a folder',
  ETIMEDOUT: 'it is a pipe to which nothing was written for a minute',
  ENAMETOOLONG: 'its name is too long',
}

function reason(error: unknown): string {
  const code = (error as { code?: string }).code ?? ''
  return REASONS[code] ?? `the system said ${code || String(error)}`
}

const unreadable = (file: string, why: string): PlatformError =>
  new PlatformError('UNREADABLE', `cannot read ${file}`, {
    why: `${why.charAt(0).toUpperCase()}${why.slice(1)}.`,
    fix: 'Check the path and its permissions, or leave it out.',
    at: { file },
  })

const tooLarge = (file: string, limits: Limits): PlatformError =>
  new PlatformError('TOO_LARGE', `${file} is too large`, {
    why: `Files are read up to ${limits.fileBytes / 1e6} MB, ${limits.totalBytes / 1e6} MB in all.`,
    fix: 'Give the manifests of the platform under test only.',
    at: { file },
  })

const tooMany = (file: string, limits: Limits): PlatformError =>
  new PlatformError('TOO_LARGE', `${file} holds more than ${limits.entries} files`, {
    why: 'A folder of manifests is rarely that large; this may be the wrong folder.',
    fix: 'Name the folder that holds the manifests.',
    at: { file },
  })
