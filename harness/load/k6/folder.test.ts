import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { inFolder } from './folder.ts'

const PROGRAM = `
const { inFolder } = await import(${JSON.stringify(new URL('./folder.ts', import.meta.url).href)})
await inFolder(async (folder) => {
  console.log(folder)
  await new Promise((resolve) => setTimeout(resolve, 60_000))
})`

it('is gone after its use, and after the next one when its user was killed', async () => {
  const own = await inFolder(async (folder) => {
    expect(existsSync(folder)).toBe(true)
    return folder
  })
  expect(existsSync(own)).toBe(false)
  const other = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [left] = (await once(createInterface({ input: other.stdout }), 'line')) as [string]
  await inFolder(async () => expect(existsSync(left)).toBe(true))
  other.kill('SIGKILL')
  await once(other, 'exit')
  await inFolder(async () => expect(existsSync(left)).toBe(false))
})
