/** A file of an archive. Owner and times are the same for all, so that equal content makes equal archives. */
export interface TarEntry {
  /** Relative, with `/`; of a folder without one at its end. */
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link'
  readonly mode: number
  /** Of a link its target. */
  readonly content: Buffer
}

const BLOCK = 512

/** The bytes of an archive (ustar), entry by entry. Throws an Error for a path of more than 255 bytes. */
export function* tarBytes(entries: Iterable<TarEntry>): Generator<Buffer> {
  for (const entry of entries) {
    yield headerOf(entry)
    if (entry.kind !== 'file') continue
    yield entry.content
    const rest = entry.content.length % BLOCK
    if (rest > 0) yield Buffer.alloc(BLOCK - rest)
  }
  yield Buffer.alloc(2 * BLOCK)
}

/** The entries of an archive. Throws an Error where a checksum is wrong. */
export function readTar(archive: Buffer): TarEntry[] {
  const entries: TarEntry[] = []
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK)
    if (header.every((byte) => byte === 0)) break
    const text = (from: number, length: number) => header.toString('utf8', from, from + length).replace(/\0.*$/s, '')
    if (Number.parseInt(text(148, 8), 8) !== checksum(header)) throw new Error(`wrong checksum at byte ${at}`)
    const size = Number.parseInt(text(124, 12), 8)
    const prefix = text(345, 155)
    const kind = ({ 0: 'file', 2: 'link', 5: 'folder' } as const)[text(156, 1) as '0' | '2' | '5']
    at += BLOCK
    const content = kind === 'link' ? Buffer.from(text(157, 100)) : archive.subarray(at, at + size)
    const path = `${prefix === '' ? '' : `${prefix}/`}${text(0, 100)}`.replace(/\/$/, '')
    entries.push({ path, kind, mode: Number.parseInt(text(100, 8), 8), content })
    at += Math.ceil(size / BLOCK) * BLOCK
  }
  return entries
}

const TYPES = { file: '0', link: '2', folder: '5' } as const

// follows POSIX.1-1988 ustar
function headerOf({ path, kind, mode, content }: TarEntry): Buffer {
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at)
  const { name, prefix } = split(kind === 'folder' ? `${path}/` : path)
  header.write(name, 0)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(kind === 'file' ? content.length : 0, 124, 12)
  octal(0, 136, 12)
  header.write(TYPES[kind], 156)
  if (kind === 'link') header.write(content.toString(), 157)
  header.write('ustar\u000000', 257)
  header.write(prefix, 345)
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** The sum of all bytes, those of the sum itself counted as blanks. */
const checksum = (header: Buffer) => header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0)

function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' }
  for (let at = path.indexOf('/'); at > 0 && at < path.length - 1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix }
  }
  throw new Error(`the path is too long for an archive: ${path}`)
}
