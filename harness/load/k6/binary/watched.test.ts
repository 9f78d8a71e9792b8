import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { watched } from './watched.ts'

it('gives the exit code, and what was said', async () => {
  const run = watched('sh', ['-c', 'echo said; exit 99'], {})
  const said: string[] = []
  createInterface({ input: run.child.stdout! }).on('line', (line) => said.push(line))
  expect(await run.code).toBe(99)
  expect(said).toEqual(['said'])
})

it('interrupts the program, whose own code comes through', async () => {
  const run = watched('bash', ['-c', 'trap "exit 105" INT; echo ready; while :; do sleep 0.02; done'], {})
  await once(createInterface({ input: run.child.stdout! }), 'line')
  run.interrupt()
  expect(await run.code).toBe(105)
  run.interrupt()
})

const PROGRAM = `
const { watched } = await import(${JSON.stringify(new URL('./watched.ts', import.meta.url).href)})
const run = watched('bash', ['-c', 'sleep 60 & echo $!; wait'], {})
run.child.stdout.pipe(process.stdout)
setInterval(() => {}, 1000)`

it('ends the program and its children with whoever started it, also when that is killed', async () => {
  const starter = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: starter.stdout }), 'line')) as [string]
  const lives = () => {
    try {
      process.kill(Number(line), 0)
      return true
    } catch {
      return false
    }
  }
  expect(lives()).toBe(true)
  starter.kill('SIGKILL')
  for (let i = 0; i < 200 && lives(); i++) await new Promise((resolve) => setTimeout(resolve, 25))
  expect(lives()).toBe(false)
})
