import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort, startServer } from '../real/server-process.ts'
import { imageArchive } from './image.ts'
import { readTar } from './tar.ts'

/** Only root may make a folder the root of a process. */
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

const model = '/app/fixtures/vllm/tiny-llama'

const served = (port: number) => ['--host', '127.0.0.1', '--port', String(port), '--served-model-name', 'm']

it.runIf(isRoot)('the image holds all that it needs to serve', async () => {
  await using image = unpacked()
  const port = await freePort()
  const args = [image.root, '/usr/local/bin/vllm', '--load-time', '0s', 'serve', model, ...served(port)]
  await using server = startServer({ program: 'chroot', args, port })
  await server.ready(60_000)
  const answer = await fetch(`${server.url}/v1/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model: 'm', prompt: 'Hello', max_tokens: 3, ignore_eos: true }),
  })
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({ model: 'm', usage: { completion_tokens: 3 } })
})

it.runIf(isRoot)('the image takes the command of older manifests', async () => {
  await using image = unpacked()
  const port = await freePort()
  const module = ['/usr/local/bin/python3', '-m', 'vllm.entrypoints.openai.api_server', '--model', model]
  await using server = startServer({ program: 'chroot', args: [image.root, ...module, ...served(port)], port })
  await expect.poll(() => server.logs(), { timeout: 30_000 }).toMatch(/Resolved architecture: LlamaForCausalLM/)
})

function unpacked(): AsyncDisposable & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), 'seatrial-image-'))
  unpack(imageArchive({ reference: 'seatrial-vllm:test' }), root)
  return { root, [Symbol.asyncDispose]: async () => rmSync(root, { recursive: true, force: true }) }
}

function unpack(archive: Buffer, root: string): void {
  for (const layer of readTar(archive).filter(({ path }) => path.endsWith('/layer.tar')))
    for (const { path, kind, mode, content } of readTar(layer.content)) {
      const target = join(root, path)
      mkdirSync(kind === 'folder' ? target : dirname(target), { recursive: true })
      if (kind === 'file') writeFileSync(target, content, { mode })
      if (kind === 'link') symlinkSync(content.toString(), target)
    }
}
