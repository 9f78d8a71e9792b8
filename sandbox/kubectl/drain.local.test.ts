import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Journal } from '../journal/journal.ts'
import { DaemonSet, type Kind, Namespace, Node, Pod, PodDisruptionBudget } from '../kube/kinds.ts'
import { collectionPath, objectPath } from '../kube/remote/paths.ts'
import { RemoteCluster } from '../kube/remote/remote-cluster.ts'
import { openRest, type Rest } from '../kube/remote/rest.ts'
import { ensureBinaries, whyUnavailable } from '../tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../tiers/control-plane/control-plane.ts'
import { spawn } from '../world/actor.ts'
import { seconds } from '../world/time.ts'
import { WallClock } from '../world/wall-clock.ts'
import { createWorld } from '../world/world.ts'
import { type DrainOptions, type DrainResult, drain } from './drain.ts'

/** `drain` beside the real kubectl, each on a node of its own of one real API server. */

let controlPlane: ControlPlane
let rest: Rest
let kubectl: string

const unavailable = await whyUnavailable()

beforeAll(async () => {
  if (unavailable) return
  controlPlane = await startControlPlane({ apiserver: ['--disable-admission-plugins=ServiceAccount'] })
  rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
  kubectl = (await ensureBinaries(['kubectl']))['kubectl']
  writeFileSync(join(controlPlane.folder, 'drain.kubeconfig'), controlPlane.kubeconfig)
}, 30 * 60_000)
afterAll(() => controlPlane?.stop())

const post = (kind: Kind, namespace: string, body: object) =>
  rest.send({ method: 'POST', path: collectionPath(kind, namespace), body, process: 'test' })

const containers = [{ name: 'main', image: 'app:1' }]
const labels = { app: 'web' }

/** A node with pods of many sorts in a namespace of the same name. */
async function makeNode(name: string): Promise<void> {
  await post(Namespace, '', { metadata: { name } })
  await post(Node, '', { metadata: { name } })
  const template = { metadata: { labels: { app: 'agent' } }, spec: { containers } }
  const set = { metadata: { name: 'agent' }, spec: { selector: { matchLabels: { app: 'agent' } }, template } }
  const { metadata } = (await post(DaemonSet, name, set)) as { metadata: { uid: string } }
  const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: metadata.uid, controller: true }
  const scratch = [{ name: 'shm', emptyDir: {} }]
  for (const [pod, meta, spec] of [
    ['agent-1', { ownerReferences: [owner] }, {}],
    ['alone', {}, {}],
    ['scratch', {}, { volumes: scratch }],
    ['guarded', { labels }, {}],
  ] as const) {
    await post(Pod, name, { metadata: { name: pod, ...meta }, spec: { containers, nodeName: name, ...spec } })
    const conditions = [{ type: 'Ready', status: 'True' }]
    const path = objectPath(Pod, `${name}/${pod}`, 'status')
    await rest.send({ method: 'PATCH', path, body: { status: { phase: 'Running', conditions } }, process: 'test' })
  }
  const spec = { selector: { matchLabels: labels }, minAvailable: 1 }
  await post(PodDisruptionBudget, name, { metadata: { name: 'web' }, spec })
  const status = { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 }
  const path = objectPath(PodDisruptionBudget, `${name}/web`, 'status')
  await rest.send({ method: 'PATCH', path, body: { status }, process: 'test' })
}

interface Output {
  readonly out: string[]
  readonly err: string[]
}

/** Pods go side by side, and kubectl keeps its warnings in a map: neither lines nor the parts of one have an order. */
const lines = (text: string, node: string): string[] =>
  text
    .replaceAll(node, 'NODE')
    .split('\n')
    .filter(Boolean)
    .map((line) =>
      line
        .replace('Warning: ', 'Warning; ')
        .split(/[;,[\]]\s*/)
        .sort()
        .join(', '),
    )
    .sort()

function real(node: string, flags: readonly string[]): Output {
  const config = join(controlPlane.folder, 'drain.kubeconfig')
  const ran = spawnSync(kubectl, ['--kubeconfig', config, 'drain', node, ...flags], { encoding: 'utf8' })
  return { out: lines(ran.stdout, node), err: lines(ran.stderr, node) }
}

async function ours(node: string, options: DrainOptions): Promise<Output> {
  const clock = new WallClock({ onError: (error) => console.error(error) })
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  const cluster = new RemoteCluster({ world, rest })
  const kube = cluster.kubeOf('kubectl')
  await kube.sync(Pod)
  try {
    const result = await new Promise<DrainResult>((resolve, reject) => {
      const task = function* () {
        try {
          resolve(yield* drain(kube, node, options))
        } catch (error) {
          reject(error)
        }
      }
      spawn(clock, 'drain', task())
    })
    const of = (stream: string) => result.lines.filter((line) => line.stream === stream).map(({ text }) => text)
    return { out: lines(of('out').join('\n'), node), err: lines(of('err').join('\n'), node) }
  } finally {
    cluster.stop()
    clock.stop()
  }
}

describe.skipIf(unavailable)('drain and kubectl drain', () => {
  it('refuse pods of three sorts in the same words', async () => {
    await makeNode('real-refused')
    await makeNode('ours-refused')
    expect(await ours('ours-refused', {})).toEqual(real('real-refused', []))
  })

  it('retry a budget that does not allow it, and give up in the same words', async () => {
    await makeNode('real-blocked')
    await makeNode('ours-blocked')
    const flags = ['--force', '--ignore-daemonsets', '--delete-emptydir-data', '--grace-period=0', '--timeout=7s']
    const options = { force: true, ignoreDaemonSets: true, deleteEmptyDirData: true, gracePeriodSeconds: 0 }
    expect(await ours('ours-blocked', { ...options, timeout: seconds(7) })).toEqual(real('real-blocked', flags))
  })

  it('delete when they are not to evict', async () => {
    await makeNode('real-deleted')
    await makeNode('ours-deleted')
    const flags = ['--force', '--ignore-daemonsets', '--delete-emptydir-data', '--grace-period=0', '--disable-eviction']
    const options = { force: true, ignoreDaemonSets: true, deleteEmptyDirData: true, gracePeriodSeconds: 0 }
    expect(await ours('ours-deleted', { ...options, disableEviction: true })).toEqual(real('real-deleted', flags))
  })
})
