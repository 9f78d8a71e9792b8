import { it as always, expect } from 'vitest'
import { Node, PersistentVolumeClaim, Pod, StorageClass, VolumeAttachment } from '../../kube/kinds.ts'
import { defaultProfile } from '../../kube/lag.ts'
import type * as o from '../../kube/objects.ts'
import { isReady } from '../../kube/pods.ts'
import { plainProgram } from '../../nodes/plain-program.ts'
import { seconds, toSeconds, type Us } from '../../world/time.ts'
import { whyUnavailable } from '../control-plane/binaries.ts'
import { sim } from '../sim/sim.ts'
import type { Sandbox, SandboxOptions } from '../tier.ts'
import { local } from './local.ts'

const it = always.skipIf(await whyUnavailable())

const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'fast' },
  provisioner: 'disk.example.com',
  volumeBindingMode: 'WaitForFirstConsumer',
} as o.Draft<o.StorageClass>

const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'weights', namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '200Gi' } } },
} as o.Draft<o.PersistentVolumeClaim>

const server = (name: string, nodeName: string) =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeSelector: { 'kubernetes.io/hostname': nodeName },
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'vllm', image: 'a:1', volumeMounts: [{ name: 'weights', mountPath: '/models' }] }],
      volumes: [{ name: 'weights', persistentVolumeClaim: { claimName: 'weights' } }],
    },
  }) as unknown as o.Draft<o.Pod>

const plain = plainProgram()
const options: SandboxOptions = {
  seed: 1,
  nodes: [{ name: 'n', count: 2, cpu: '64', memory: '512Gi' }],
  programFor: () => plain,
  imageBytes: () => 1e8,
  registryBytesPerSecond: 1e9,
  lag: defaultProfile,
  objects: [storageClass, claim],
}

/** How far two tiers may be apart: the kubelet’s node status, and the pauses between its attempts. */
const APART_S = 8

interface Story {
  /** From a pod's creation, or the deletion of the one before, until it is ready, in seconds. */
  readonly firstS: number
  readonly secondS: number
  readonly events: readonly string[]
  readonly attachedTo: readonly string[]
}

/** A server with its weights on a disk; another on another node that wants the same disk, and gets it when the first is gone. */
async function story(sandbox: Sandbox): Promise<Story> {
  const { kube, world } = sandbox
  for (const kind of [Node, Pod, VolumeAttachment]) kube.list<o.KubeObject>(kind)
  const events = () =>
    world.journal.records.flatMap((one) =>
      one.type === 'event' && /AttachVolume|FailedMount/.test(one.reason)
        ? [`${one.reason} ${one.key}: ${one.message.replace(/pvc-[0-9a-f-]+/, 'VOLUME')}`]
        : [],
    )
  const ready = (name: string) => {
    const pod = kube.get(Pod, `default/${name}`)
    return pod !== undefined && isReady(pod)
  }
  await sandbox.run('kubectl', kube.create(StorageClass, storageClass))
  await sandbox.run('kubectl', kube.create(PersistentVolumeClaim, claim))
  const begun = world.clock.now
  await sandbox.run('kubectl', kube.create(Pod, server('first', 'n-0')))
  await until(sandbox, () => ready('first'))
  const firstS = toSeconds(world.clock.now - begun)
  await sandbox.run('kubectl', kube.create(Pod, server('second', 'n-1')))
  await until(sandbox, () => events().some((one) => one.startsWith('FailedAttachVolume')))
  const deleted = world.clock.now
  await sandbox.run('kubectl', kube.delete(Pod, 'default/first'))
  await until(sandbox, () => ready('second'))
  const attached = kube.list(VolumeAttachment).filter(({ status }) => status?.attached)
  return {
    firstS,
    secondS: toSeconds(world.clock.now - deleted),
    events: events(),
    attachedTo: attached.map(({ spec }) => spec.nodeName),
  }
}

async function until(sandbox: Sandbox, holds: () => boolean, within: Us = seconds(120)): Promise<void> {
  const { clock } = sandbox.world
  const deadline = clock.now + within
  while (!holds()) {
    if (clock.now > deadline) throw new Error(`not within ${within / 1e6} s: ${holds}`)
    await sandbox.runUntil(clock.now + seconds(0.1))
  }
}

it('a disk of a driver is made, attached, kept from a second node and handed over, on the real control plane as simulated', {
  timeout: 240_000,
}, async () => {
  const simulated = await story(await sim.up(options))
  expect(simulated.attachedTo).toEqual(['n-1'])
  expect(simulated.events).toEqual([
    'SuccessfulAttachVolume default/first: AttachVolume.Attach succeeded for volume "VOLUME" ',
    'FailedAttachVolume default/second: Multi-Attach error for volume "VOLUME" Volume is already used by pod(s) first',
    'SuccessfulAttachVolume default/second: AttachVolume.Attach succeeded for volume "VOLUME" ',
  ])
  // ten of the seconds are those of making and attaching
  expect(simulated.firstS).toBeGreaterThan(10)
  const sandbox = await local.up(options)
  try {
    const real = await story(sandbox)
    expect({ ...real, firstS: 0, secondS: 0 }).toEqual({ ...simulated, firstS: 0, secondS: 0 })
    expect(Math.abs(real.firstS - simulated.firstS)).toBeLessThan(APART_S)
    expect(Math.abs(real.secondS - simulated.secondS)).toBeLessThan(APART_S)
  } finally {
    await sandbox.close()
  }
})
