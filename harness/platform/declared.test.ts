import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PlatformErrors } from './errors.ts'
import { LIMITS } from './limits.ts'
import { type LoadOptions, loadPlatform } from './load.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'seatrial-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`

function write(files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), content)
  }
}

/** A command that runs a script of Node, as a renderer that every machine has. */
const node = (script: string) => JSON.stringify([process.execPath, '-e', script])

const names = async (options: Partial<LoadOptions> = {}) =>
  (await loadPlatform({ paths: ['.'], cwd, ...options })).objects.map(({ manifest }) => manifest.metadata.name)

async function failure(options: Partial<LoadOptions> = {}): Promise<string> {
  const error = await loadPlatform({ paths: ['.'], cwd, ...options }).then(
    () => undefined,
    (e: unknown) => e,
  )
  if (!(error instanceof PlatformErrors)) throw error ?? new Error('it loaded')
  return error.message
}

describe('manifests', () => {
  it('are files, folders and patterns, and nothing else in the folder', async () => {
    write({
      'seatrial.yaml': 'manifests: [deploy, "apps/*/service.yaml"]\n',
      'deploy/a.yaml': configMap('a'),
      'apps/x/service.yaml': configMap('x'),
      'apps/z/service.yaml': configMap('z'),
      'apps/z/other.yaml': configMap('other'),
      'notes.yaml': configMap('notes'),
    })
    expect(await names()).toEqual(['a', 'x', 'z'])
    expect(await names({ paths: ['notes.yaml'] })).toEqual(['notes'])
  })

  it('a pattern that matches nothing is an error at its place', async () => {
    write({ 'seatrial.yaml': 'manifests:\n  - deploy\n  - aps/*.yaml\n', 'deploy/a.yaml': configMap('a') })
    expect(await failure()).toMatch(/^seatrial\.yaml:3:5 {2}manifests: «aps\/\*\.yaml» matches no file.*\[NO_MATCH\]/)
  })
})

describe('render', () => {
  it('takes what a command writes as manifests, run in the folder of seatrial.yaml', async () => {
    const script = `console.log('apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: ' + require('fs').readFileSync('name.txt', 'utf8') + '}')`
    write({
      'env/seatrial.yaml': `render:\n  - ${node(script)}\n`,
      'env/name.txt': 'rendered',
      'env/plain.yaml': configMap('plain'),
    })
    const told: string[] = []
    expect(await names({ paths: ['env'], onRender: ({ at }) => told.push(`${at.file}:${at.line}`) })).toEqual([
      'rendered',
    ])
    expect(told).toEqual(['env/seatrial.yaml:2'])
  })

  it('is not run for other paths, and a note says so', async () => {
    write({ 'seatrial.yaml': `render:\n  - ${node('process.exit(1)')}\n`, 'a.yaml': configMap('a') })
    const { notes } = await loadPlatform({ paths: ['a.yaml'], cwd })
    expect(notes.map(({ message }) => message)).toEqual([expect.stringMatching(/^render not used: the paths given/)])
  })

  it('is not run from a seatrial.yaml that is not the one in use', async () => {
    write({ 'vendor/x/seatrial.yaml': `render:\n  - ${node('process.exit(1)')}\n`, 'a.yaml': configMap('a') })
    expect(await names()).toEqual(['a'])
  })

  it.each([
    [
      'fails',
      node(`console.error('Error: no template'); process.exit(3)`),
      {},
      /ended with code 3.*\n.*It said:\n {6}Error: no template/,
    ],
    ['is not installed', '"no-such-program x"', {}, /there is no program «no-such-program».*RENDERER_MISSING/],
    [
      'never ends',
      `{ run: ${node('setInterval(() => {}, 1000)')}, timeout: 300ms }`,
      {},
      /was stopped after 0?\.?3.*RENDER_TIMEOUT/,
    ],
    [
      'writes without end',
      node(`(function more() { process.stdout.write('x'.repeat(65536), more) })()`),
      { limits: { ...LIMITS, fileBytes: 1e6 } },
      /wrote more than 1 MB/,
    ],
    ['is refused', node('process.exit(1)'), { render: false }, /was not run \[RENDER_REFUSED\]/],
    ['needs a shell', '"helm template x | cat"', {}, /render\[0\]: commands run without a shell/],
  ] as const)('a command that %s is an error at its place', async (_, command, options, message) => {
    write({ 'seatrial.yaml': `name: x\nrender:\n  - ${command}\n` })
    const text = await failure(options)
    expect(text).toMatch(/^seatrial\.yaml:3:\d+ /)
    expect(text).toMatch(message)
  })

  it('what is wrong in rendered text is at its line of the command', async () => {
    write({
      'seatrial.yaml': `render:\n  - ${node(`console.log('apiVersion: v1\\nkind: Pod\\nmetadata: {nam: x}')`)}\n`,
    })
    expect(await failure()).toMatch(/^\$\(.*\):3:\d+ /)
  })
})
