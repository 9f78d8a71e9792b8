import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const BIN = new URL('./bin.js', import.meta.url).pathname
const ROOT = new URL('..', import.meta.url).pathname

/** The Node a user of this machine has, which may be an old one. */
const systemNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => join(folder, process.platform === 'win32' ? 'node.exe' : 'node'))
  .find(existsSync)

const seatrial = (node: string, ...args: string[]) =>
  spawnSync(node, [BIN, ...args], { cwd: ROOT, encoding: 'utf8', input: '', env: { ...process.env, NO_COLOR: '1' } })

describe.each([...new Set([process.execPath, ...(systemNode ? [systemNode] : [])])])('%s', (node) => {
  it('prints help, and the version of the package', () => {
    const help = seatrial(node, '--help')
    expect([help.status, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toContain('seatrial verify deploy/')
    expect(seatrial(node, '--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([
    [['verify', 'scenarios/bad-model-config/good/tensor-parallel-8', '--only', 'bad-model-config', '--seeds', '1'], 0],
    [['verify', 'scenarios/bad-model-config/bad/idle-gpus', '--only', 'bad-model-config', '--seeds', '1'], 1],
    [['verify', 'no-such-folder'], 2],
    [['verify', '-'], 2],
    [['verfy'], 2],
    [['verify', '--only', 'nonsense'], 2],
    [['verify', 'fixtures/platforms/showcase', '--target', 'nobody'], 4],
  ])('%j exits with %i and no stack trace', (args, status) => {
    const result = seatrial(node, ...args)
    expect(result.status).toBe(status)
    expect(`${result.stdout}${result.stderr}`).not.toMatch(/^\s+at .*:\d+:\d+/m)
  })
})

it('--json is one JSON document with a schema version', () => {
  const { stdout } = seatrial(
    process.execPath,
    'verify',
    'scenarios/bad-model-config/bad/idle-gpus',
    '--only',
    'bad-model-config',
    '--seeds',
    '1',
    '--json',
  )
  const report = JSON.parse(stdout)
  expect(report.schemaVersion).toBe(1)
  expect(report.verdicts.map((v: { outcome: string }) => v.outcome)).toContain('FAIL')
  expect(report.totals.failed).toBe(1)
})
