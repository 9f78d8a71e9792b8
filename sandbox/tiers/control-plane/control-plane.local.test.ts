import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { it as always, expect } from 'vitest'
import { whyUnavailable } from './binaries.ts'
import { startControlPlane } from './control-plane.ts'
import { recordedIn, removeOrphans } from './orphans.ts'

const unavailable = await whyUnavailable()
const it = always.skipIf(unavailable)

/** Processes whose command line names the folder. */
const processesOf = (folder: string): string[] =>
  readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder)
    } catch {
      return false
    }
  })

const START = new URL('./control-plane.ts', import.meta.url).href
const PROGRAM = `const { startControlPlane } = await import('${START}')
const { folder } = await startControlPlane()
console.log(folder)
setInterval(() => {}, 1000)`

/** Another process that starts a control plane; its folder once it runs. */
async function started() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const folder = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve))
  return { child, folder }
}

async function gone(folder: string): Promise<void> {
  for (let i = 0; i < 200 && (existsSync(folder) || processesOf(folder).length > 0); i++) await wait(50)
  expect(processesOf(folder)).toEqual([])
  expect(existsSync(folder)).toBe(false)
}

it('ends what it started and removes its folder', async () => {
  const controlPlane = await startControlPlane({ controllerManager: [], scheduler: [] })
  const { folder } = controlPlane
  // supervisor, etcd, kube-apiserver, scheduler, controller manager
  expect(processesOf(folder)).toHaveLength(5)
  await controlPlane.stop()
  await gone(folder)
})

it.each(['SIGKILL', 'SIGINT'] as const)('ends everything when its parent dies of %s', async (signal) => {
  const { child, folder } = await started()
  expect(processesOf(folder).length).toBeGreaterThanOrEqual(3)
  child.kill(signal)
  await gone(folder)
})

it('ends what a killed supervisor left behind, at the next start', async () => {
  const { child, folder } = await started()
  process.kill(recordedIn(folder).find(({ name }) => name === 'supervisor')!.pid, 'SIGKILL')
  child.kill('SIGKILL')
  await wait(300)
  expect(processesOf(folder)).toHaveLength(2)
  expect(removeOrphans()).toContainEqual({ folder, processes: 2 })
  await gone(folder)
})

it('shows the log of a program that does not start', async () => {
  await expect(startControlPlane({ apiserver: ['--no-such-flag'] })).rejects.toMatchObject({
    code: 'CONTROL_PLANE_START',
    message: expect.stringContaining('unknown flag: --no-such-flag'),
  })
})
