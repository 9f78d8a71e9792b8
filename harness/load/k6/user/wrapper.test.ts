import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { usesSse, wrapperOf } from './wrapper.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "seatrial k6 o'test-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What a wrapped script exports: these need nothing that only k6 has. */
async function wrapped(script: string) {
  const path = join(folder, 'script.mjs')
  writeFileSync(path, script)
  writeFileSync(join(folder, 'wrapper.mjs'), wrapperOf(pathToFileURL(path).href, { http_req_failed: ['rate<=0.01'] }))
  return (await import(pathToFileURL(join(folder, 'wrapper.mjs')).href)) as Record<string, unknown>
}

it('adds to the thresholds of a script and leaves the rest', async () => {
  const { options, default: main } = await wrapped(`
    export const options = { vus: 3, thresholds: { http_req_failed: ['rate<0.5'], mine: ['count>3'] } }
    export default () => 'theirs'`)
  expect(options).toMatchObject({
    vus: 3,
    thresholds: { http_req_failed: ['rate<0.5', 'rate<=0.01'], mine: ['count>3'] },
  })
  expect((main as () => string)()).toBe('theirs')
})

it('works for scripts without options or without a default function', async () => {
  const plain = await wrapped('export default function () {}')
  expect(plain['options']).toMatchObject({ thresholds: { http_req_failed: ['rate<=0.01'] } })
  rmSync(folder, { recursive: true })
  folder = mkdtempSync(join(tmpdir(), 'seatrial-k6-'))
  const named = await wrapped('export const go = () => 1; export const setup = () => 2')
  expect(named['default']).toBeUndefined()
  expect((named['go'] as () => number)()).toBe(1)
  expect((named['setup'] as () => number)()).toBe(2)
})

it('asks for the 99th percentile beside what the script asks for', async () => {
  const { options } = await wrapped("export const options = { summaryTrendStats: ['count'] }\nexport default () => 1")
  expect(options).toMatchObject({ summaryTrendStats: ['count', 'p(99)'] })
})

it('knows scripts with server-sent events', () => {
  expect(usesSse("import sse from 'k6/x/sse'")).toBe(true)
  expect(usesSse('const sse = require("k6/x/sse")')).toBe(true)
  expect(usesSse("import http from 'k6/http'")).toBe(false)
})
