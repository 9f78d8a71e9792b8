import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imageArchive } from './image.ts'
import { readTar, type TarEntry, tarBytes } from './tar.ts'

describe('an archive', () => {
  const part = fc.stringMatching(/^[a-z0-9._-]{1,40}$/)
  const entry: fc.Arbitrary<TarEntry> = fc.record({
    path: fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/')),
    kind: fc.constant('file'),
    mode: fc.constantFrom(0o644, 0o755),
    content: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  })

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        expect(readTar(Buffer.concat([...tarBytes(entries)]))).toEqual(entries)
      }),
    )
  })

  it('that is damaged is refused', () => {
    const archive = Buffer.concat([...tarBytes([{ path: 'a', kind: 'file', mode: 0o644, content: Buffer.from('b') }])])
    archive[0] = 'x'.charCodeAt(0)
    expect(() => readTar(archive)).toThrow('wrong checksum')
  })

  it('has no place for paths that are too long', () => {
    const path = 'a'.repeat(300)
    expect(() => [...tarBytes([{ path, kind: 'file', mode: 0o644, content: Buffer.alloc(0) }])]).toThrow('too long')
  })
})

describe.runIf(process.platform === 'linux')('the image', () => {
  const files = readTar(imageArchive({ reference: 'seatrial-vllm:test' }))
  const json = (path: string) => JSON.parse(files.find((file) => file.path === path)!.content.toString())
  const [manifest] = json('manifest.json')
  const layers = (manifest.Layers as string[]).map((path) => files.find((file) => file.path === path)!.content)
  const paths = layers.flatMap((layer) => readTar(layer).map(({ path }) => path))

  it('is what docker load reads: each layer under its digest', () => {
    const { rootfs, config, os } = json(manifest.Config)
    expect(manifest.RepoTags).toEqual(['seatrial-vllm:test'])
    expect(rootfs.diff_ids).toEqual(layers.map((layer) => `sha256:${createHash('sha256').update(layer).digest('hex')}`))
    expect(os).toBe('linux')
    expect(config).toMatchObject({ User: '65532:65532', Entrypoint: ['vllm', 'serve'] })
  })

  it('holds the interpreter, the command and what stands for vLLM’s programs', () => {
    expect(paths).toEqual(
      expect.arrayContaining(['usr/local/bin/node', 'usr/local/bin/vllm', 'usr/local/bin/python3', 'app/cli/bin.js']),
    )
    expect(paths.filter((path) => /\.test\.ts$|client-node/.test(path))).toEqual([])
  })

  it('is the same each time', () => {
    const again = readTar(imageArchive({ reference: 'seatrial-vllm:test' }))
    expect(again.map(({ path }) => path)).toEqual(files.map(({ path }) => path))
  })
})
