import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const ROOT = new URL('../..', import.meta.url).pathname
const BAD = 'scenarios/bad-model-config/bad/heads-not-divisible'
const folder = mkdtempSync(join(tmpdir(), 'seatrial-'))
afterAll(() => rmSync(folder, { recursive: true }))

const verify = (path: string, ...args: string[]) =>
  spawnSync(process.execPath, ['cli/bin.js', 'verify', path, '--only', 'bad-model-config', '--seeds', '1', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, GITHUB_STEP_SUMMARY: join(folder, 'summary.md') },
  })

describe('junit', () => {
  it('is XML with a failure that says where, why and how to mend it', () => {
    const { stdout, status } = verify(BAD, '-o', 'junit')
    expect(status).toBe(1)
    expect(stdout).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="seatrial heads-not-divisible">/,
    )
    expect(stdout).toContain('<testsuite name="default/chat" tests="1" failures="1" errors="0" skipped="0"')
    expect(stdout).toContain(`file="${BAD}/deploy.yaml" line="26"`)
    expect(stdout).toContain(
      'fix (re-run: PASS): --tensor-parallel-size 8, nvidia.com/gpu: 8&#10;replay: npx seatrial run',
    )
    const tags = [...stdout.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)].filter(([, , , selfClosing]) => !selfClosing)
    const open: string[] = []
    for (const [, closing, name] of tags) {
      if (!closing) open.push(name!)
      else expect(open.pop()).toBe(name)
    }
    expect(open).toEqual([])
  })

  it('counts a pass as one', () => {
    const { stdout, status } = verify('scenarios/bad-model-config/good/tensor-parallel-8', '-o', 'junit')
    expect(status).toBe(0)
    expect(stdout).toMatch(/<testcase name="bad-model-config" classname="default\/chat" time="[\d.]+"\/>/)
  })
})

describe('github', () => {
  it('annotates the line, and writes the summary', () => {
    const { stdout, status } = verify(BAD, '-o', 'github')
    expect(status).toBe(1)
    expect(stdout).toMatch(
      /^::error file=scenarios\/bad-model-config\/bad\/heads-not-divisible\/deploy\.yaml,line=26,col=15,title=bad-model-config on default\/chat%3A FAIL::vLLM exits with code 1: Total number of attention heads \(64\)[^\n]*%0Afix \(re-run: PASS\)[^\n]*\n$/,
    )
    const summary = readFileSync(join(folder, 'summary.md'), 'utf8')
    expect(summary).toContain('0 passed · 1 failed · 0 invalid')
    expect(summary).toContain(`| ❌ FAIL | bad-model-config | default/chat | \`${BAD}/deploy.yaml:26\``)
  })
})
