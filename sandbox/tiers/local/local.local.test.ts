import { existsSync } from 'node:fs'
import { it as always, expect } from 'vitest'
import type { ObjectRecord } from '../../journal/record.ts'
import { Deployment as DeploymentKind, Node, Pod } from '../../kube/kinds.ts'
import { defaultProfile } from '../../kube/lag.ts'
import type { Deployment, Draft } from '../../kube/objects.ts'
import { isReady } from '../../kube/pods.ts'
import { plainProgram } from '../../nodes/plain-program.ts'
import { fromRfc3339, seconds, type Us } from '../../world/time.ts'
import { whyUnavailable } from '../control-plane/binaries.ts'
import { recordedIn } from '../control-plane/orphans.ts'
import { isAlive } from '../control-plane/processes.ts'
import { TRIAL_BEGINS } from '../parts/trial-begins.ts'
import { sim } from '../sim/sim.ts'
import type { Sandbox, SandboxOptions } from '../tier.ts'
import { local } from './local.ts'
import type { LocalSandbox } from './local-sandbox.ts'

const it = always.skipIf(await whyUnavailable())

const chat = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'chat', namespace: 'prod' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'chat' } },
    template: {
      metadata: { labels: { app: 'chat' } },
      spec: { containers: [{ name: 'a', image: 'a:1', resources: { limits: { 'nvidia.com/gpu': '8' } } }] },
    },
  },
} as unknown as Draft<Deployment>

const plain = plainProgram()
const options: SandboxOptions = {
  seed: 1,
  nodes: [
    { name: 'gpu', count: 2, cpu: '64', memory: '512Gi', gpu: { product: 'NVIDIA-L4', memoryBytes: 24e9, count: 8 } },
  ],
  programFor: () => plain,
  imageBytes: () => 1e8,
  registryBytesPerSecond: 1e9,
  lag: defaultProfile,
  objects: [chat],
}

/** Applies the Deployment, waits for its pods and kills the process of one, and lets it come back. */
async function story(sandbox: Sandbox): Promise<void> {
  const { kube, levers, world } = sandbox
  const ready = () => kube.list(Pod).filter(isReady)
  kube.list(Node)
  await sandbox.run('kubectl', kube.create(DeploymentKind, chat))
  await until(sandbox, () => ready().length === 2)
  const { name } = ready()[0]!.metadata
  levers['pod.process']!(`prod/${name}`, 'a')
  const restarts = () => kube.get(Pod, `prod/${name}`)!.status.containerStatuses?.[0]?.restartCount
  await until(sandbox, () => restarts() === 1 && ready().length === 2)
  await sandbox.runUntil(world.clock.now + seconds(2))
}

async function until(sandbox: Sandbox, holds: () => boolean, within: Us = seconds(60)): Promise<void> {
  const { clock } = sandbox.world
  const deadline = clock.now + within
  while (!holds()) {
    if (clock.now > deadline) throw new Error(`not within ${within / 1e6} s: ${holds}`)
    await sandbox.runUntil(clock.now + seconds(0.1))
  }
}

it('the real control plane decides over simulated nodes, and closing leaves nothing', async () => {
  const sandbox = (await local.up(options)) as LocalSandbox
  const { folder } = sandbox.controlPlane
  const processes = recordedIn(folder)
  // when the simulated one does, so that triggers with a schedule come at the same time of the trial
  expect(sandbox.world.clock.now).toBeGreaterThanOrEqual(TRIAL_BEGINS)
  expect(processes.length).toBeGreaterThanOrEqual(5)
  await story(sandbox)
  const { kube, world } = sandbox
  // objects agree with the clock, which began with the sandbox
  expect(world.clock.now).toBeLessThan(TRIAL_BEGINS + seconds(100))
  for (const pod of kube.list(Pod)) {
    const age = world.clock.now - fromRfc3339(pod.metadata.creationTimestamp)
    expect(age).toBeGreaterThan(0)
    expect(age).toBeLessThan(seconds(60))
  }
  expect(
    kube
      .list(Pod)
      .map(({ spec }) => spec.nodeName)
      .sort(),
  ).toEqual(['gpu-0', 'gpu-1'])
  await sandbox.close()
  expect(existsSync(folder)).toBe(false)
  expect(processes.filter(isAlive)).toEqual([])

  const simulated = await sim.up(options)
  await story(simulated)
  expect(recordKinds(sandbox)).toEqual(recordKinds(simulated))
  expect(writersOf(sandbox)).toEqual(writersOf(simulated))
})

/** What kinds of records there are of the Deployment and what came of it; only our own controllers note why they tried again. */
const recordKinds = ({ world }: Sandbox): string[] =>
  kindsIn(
    world.journal.records.filter((record) => (record.type === 'object' ? isOfChat(record) : record.type !== 'note')),
    (record) =>
      record.type === 'object'
        ? `${record.verb} ${record.kind}`
        : record.type === 'event'
          ? `event ${record.reason} of ${record.kind} by ${record.by}`
          : record.type,
  )

/** Who wrote which kinds. */
const writersOf = ({ world }: Sandbox): string[] =>
  kindsIn(
    world.journal.records.filter((record): record is ObjectRecord => record.type === 'object' && isOfChat(record)),
    ({ kind, by }) => `${kind} by ${by}`,
  )

const isOfChat = ({ key, kind }: ObjectRecord): boolean => key.startsWith('prod/chat') && kind !== 'serviceaccounts'

const kindsIn = <R>(records: readonly R[], kindOf: (record: R) => string): string[] =>
  [...new Set(records.map(kindOf))].sort()

it('an actor that fails fails what is waited for, and the sandbox can still be closed', async () => {
  const sandbox = await local.up({ ...options, objects: [] })
  try {
    sandbox.world.clock.after(seconds(1), () => {
      throw new Error('an actor’s fault')
    })
    await expect(sandbox.runUntil(sandbox.world.clock.now + seconds(30))).rejects.toThrow('an actor’s fault')
  } finally {
    await sandbox.close()
  }
})
