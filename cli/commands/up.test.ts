import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { numberSpace, self } from '../../sandbox/tiers/control-plane/processes.ts'

const BIN = new URL('../bin.js', import.meta.url).pathname

/** Where Node keeps what it has compiled, whatever TMPDIR is. */
const COMPILED = { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'node-compile-cache') }

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'seatrial-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const seatrial = (...args: string[]) => {
  const env = { ...process.env, NO_COLOR: '1', XDG_STATE_HOME: root, TMPDIR: root, SHELL: '/bin/sh', ...COMPILED }
  return spawnSync(process.execPath, [BIN, ...args], { cwd: root, encoding: 'utf8', input: '', env })
}

/** A sandbox that this process seems to hold. */
function kept(name: string, more: object = {}): void {
  const folder = join(root, 'seatrial/sandboxes', name)
  mkdirSync(folder, { recursive: true })
  const since = '2026-01-01T00:00:00Z'
  const state = {
    schemaVersion: 1,
    name,
    tier: 'local',
    since,
    phase: 'up',
    owner: self(),
    askedBy: self(),
    space: numberSpace(),
    ...more,
  }
  writeFileSync(join(folder, 'sandbox.json'), JSON.stringify(state))
  writeFileSync(join(folder, 'kubeconfig'), '{}')
  writeFileSync(join(folder, 'seatrial.log'), 'a line\n')
}

describe('up', () => {
  it.each<[string[], RegExp]>([
    [['--cluster', 'sim'], /tier sim has no API server .* \[NOTHING_TO_CONNECT_TO\]\n {4}Use --cluster local/],
    [['--cluster', 'kind'], /--cluster <tier>.*Allowed choices are sim, local/],
    [
      ['--nodes', '0'],
      /--nodes must be a whole number of 1 or more, not «0» \[BAD_OPTION\]\n {4}For example: --nodes 5/,
    ],
    [['--nodes', '5001'], /--nodes must be at most 5000/],
    [['--qps', 'many'], /--qps must be a whole number/],
    [['--gpu', 'h100-sx'], /--gpu: no GPU is called «h100-sx»: did you mean h100-sxm\?/],
    [['--gpu', 'h100-sxm:17'], /--gpu: a node has 1 to 16 GPUs, not 17/],
    [['--load-time', '5'], /--load-time: not a duration: "5"/],
    [['--name', '../x'], /--name must be lower-case letters, digits and dashes, not «\.\.\/x»/],
  ])('%j is refused with what to do', (args, said) => {
    const { stderr, stdout, status } = seatrial('up', ...args)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(said)
    expect(existsSync(join(root, 'seatrial'))).toBe(false)
  })

  it('of a name that is taken says so and how to go on', () => {
    kept('default')
    const { stderr, status } = seatrial('up')
    expect(status).toBe(2)
    expect(stderr).toBe(
      'sandbox «default» is up since 2026-01-01T00:00:00Z [SANDBOX_EXISTS]\n' +
        '    Use it: «seatrial shell default». End it: «seatrial down default». Or start another: --name default-2.\n',
    )
  })
})

describe('a sandbox that is not there', () => {
  it.each<[string[], number, RegExp]>([
    [['shell'], 4, /no sandbox is up \[NO_SANDBOX\]\n {4}Start one: «seatrial up --cluster local»/],
    [['logs'], 4, /no sandbox is up/],
    [['shell', 'x'], 2, /there is no sandbox «x» \[NO_SANDBOX\]/],
    [['down', 'x'], 2, /there is no sandbox «x»/],
    [['down', 'x', '--all'], 2, /--all and a name at once/],
    [['down'], 0, /no sandbox is up/],
    [['status'], 0, /next: seatrial up/],
    [['status', 'x'], 2, /there is no sandbox «x»/],
  ])('%j ends with %i', (args, code, said) => {
    const { stderr, status } = seatrial(...args)
    expect([status, stderr]).toEqual([code, expect.stringMatching(said)])
  })
})

describe('sandboxes that are there', () => {
  it('are listed, also where their API server does not answer', () => {
    kept('one', { server: 'https://127.0.0.1:9' })
    kept('two', { phase: 'starting' })
    const { stdout } = seatrial('status')
    expect(stdout).toMatch(/one {2}tier local · up for .* · its API server does not answer\n/)
    expect(stdout).toMatch(/two {2}tier local · starting for/)
    expect(seatrial('status', 'two').stdout).toMatch(/^[^\n]*two {2}tier local[^\n]*\n {4}uses[^\n]*\n$/)
    expect(JSON.parse(seatrial('status', '--json').stdout)).toMatchObject({
      schemaVersion: 1,
      sandboxes: [{ name: 'one' }, { name: 'two' }],
    })
  })

  it('must be named where there are several', () => {
    kept('one')
    kept('two')
    expect(seatrial('shell').stderr).toBe('there are 2 sandboxes [WHICH_SANDBOX]\n    Name one: one, two.\n')
    expect(seatrial('shell', 'ones').stderr).toContain('Did you mean one?')
  })

  it('are not connected to before they are up', () => {
    kept('one', { phase: 'starting' })
    expect(seatrial('shell')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('sandbox «one» is starting [NOT_UP]'),
    })
  })

  it('have logs, of programs only', () => {
    kept('one')
    expect(seatrial('logs')).toMatchObject({ status: 0, stdout: 'a line\n' })
    expect(seatrial('logs', 'etdc')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no program of the sandbox is called «etdc»'),
    })
    expect(seatrial('logs', 'pod/chat-0').stderr).toMatch(
      /«kubectl logs chat-0» \[ASK_KUBECTL\]\n.*«seatrial shell one»/,
    )
  })

  it('give a shell their kubeconfig and kubectl, and take its exit code', () => {
    kept('one')
    const env = { ...process.env, XDG_STATE_HOME: root, TMPDIR: root, SHELL: '/bin/sh' }
    const { stdout, status } = spawnSync(process.execPath, [BIN, 'shell'], {
      env,
      encoding: 'utf8',
      input: 'echo $KUBECONFIG $SEATRIAL_SANDBOX "$PS1"; echo $PATH; exit 7',
    })
    const folder = join(root, 'seatrial/sandboxes/one')
    expect(status).toBe(7)
    expect(stdout).toContain(`${folder}/kubeconfig one (seatrial:one) $`)
    expect(stdout).toContain(`\n${folder}/bin:`)
  })

  it('whose processes are gone are removed, and that is said in one line', () => {
    kept('one', { owner: { ...self(), startedAt: '1' }, lost: 'etcd ended with 1' })
    kept('two')
    const { stdout, stderr } = seatrial('status')
    expect(stderr).toBe('removed what a killed seatrial left: sandbox one (etcd ended with 1)\n')
    expect(stdout).toContain('two')
    expect(existsSync(join(root, 'seatrial/sandboxes/one'))).toBe(false)
    expect(statSync(join(root, 'seatrial/sandboxes/two')).isDirectory()).toBe(true)
  })

  it('of another container are left alone', () => {
    kept('one', { owner: { ...self(), startedAt: '1' }, space: '1' })
    expect(seatrial('status').stdout).toContain('one')
  })
})
