import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { it as always, expect } from 'vitest'

const run = promisify(execFile)
const hasGo = await run('go', ['version']).then(
  () => true,
  () => false,
)
const it = always.skipIf(!hasGo)

// compiled as the program is, so that one cache serves both
it('passes its own tests', { timeout: 600_000 }, async () => {
  const { stdout } = await run('go', ['test', '-trimpath', '-buildvcs=false', './...'], {
    cwd: import.meta.dirname,
    env: { ...process.env, GOWORK: 'off' },
  })
  expect(stdout).toMatch(/^ok\s+seatrial\.invalid\/k6\/sse/m)
})
