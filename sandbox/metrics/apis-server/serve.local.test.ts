import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { horizontalPodAutoscaler } from '../../autoscaling/hpa/controller.ts'
import type { MetricsClient } from '../../autoscaling/metrics-client.ts'
import { deploymentController } from '../../controllers/deployment.ts'
import { replicaSetController } from '../../controllers/replicaset.ts'
import { testCluster } from '../../controllers/testkit.ts'
import { Journal } from '../../journal/journal.ts'
import { Deployment, HorizontalPodAutoscaler, Pod } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import { instant } from '../../kube/lag.ts'
import type * as o from '../../kube/objects.ts'
import { RemoteCluster } from '../../kube/remote/remote-cluster.ts'
import type { RemoteKube } from '../../kube/remote/remote-kube.ts'
import { openRest } from '../../kube/remote/rest.ts'
import { ensureBinaries, whyUnavailable } from '../../tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../../tiers/control-plane/control-plane.ts'
import { ms, seconds, type Us } from '../../world/time.ts'
import { WallClock } from '../../world/wall-clock.ts'
import { createWorld } from '../../world/world.ts'
import { MetricsApis, metricsClient } from '../adapter/metrics-client.ts'
import { type ServedMetricsApis, serveMetricsApis } from './serve.ts'
import { make, NAMES, playKubelet, SCALES, serve } from './test-kit.ts'

const unavailable = await whyUnavailable()
const run = promisify(execFile)
const SYNC: Us = seconds(1)

/** What an HPA came to, without times. */
const told = (hpa: o.HorizontalPodAutoscaler | undefined) => ({
  desired: hpa?.status?.desiredReplicas,
  metrics: hpa?.status?.currentMetrics,
  conditions: hpa?.status?.conditions?.map(
    ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
  ),
})

/** Nobody serves the APIs yet; they are served; their servers are down. */
const PHASES = ['absent', 'served', 'down'] as const
type Told = Record<(typeof PHASES)[number], Record<string, ReturnType<typeof told>>>

/** The same platform under our controllers, on a virtual clock. */
function simulated(): Told {
  let client: MetricsClient
  let kube: Kube
  const metrics: MetricsClient = {
    resource: (...asked) => client.resource(...asked),
    pods: (...asked) => client.pods(...asked),
    object: (...asked) => client.object(...asked),
    external: (...asked) => client.external(...asked),
  }
  const hpa = horizontalPodAutoscaler({ metrics, ...OPTIONS })
  const cluster = testCluster({ controllers: [deploymentController, replicaSetController, hpa], kubelet: false })
  const { world } = cluster
  const apis = new MetricsApis()
  client = metricsClient({ world, apis, latency: instant.requestLatency.read, process: 'kube-controller-manager' })
  kube = cluster.kube('kubectl')
  playKubelet(kube, (task) => void world.spawn('kubelet', task))
  world.spawn('make', make(kube))
  const after = (periods: number) => {
    cluster.clock.runUntil(world.clock.now + seconds(periods))
    return Object.fromEntries(
      NAMES.map((name) => [name, told(cluster.store.get(HorizontalPodAutoscaler, `default/${name}`))]),
    )
  }
  const absent = after(5)
  serve(
    apis,
    () => kube,
    () => world.clock.now,
  )
  const served = after(20)
  apis.stop()
  return { absent, served, down: after(10) }
}
const OPTIONS = { syncPeriod: SYNC, cpuInitializationPeriod: 0, initialReadinessDelay: 0 }

describe.skipIf(unavailable)('a real HPA that asks our metrics APIs', () => {
  const ours = unavailable ? undefined : simulated()
  const real: Partial<Told> = {}
  let controlPlane: ControlPlane
  let cluster: RemoteCluster
  let kube: RemoteKube
  let served: ServedMetricsApis
  let stop: () => () => void
  let kubectl: (...args: string[]) => Promise<string>
  const clock = new WallClock({ onError: () => {} })
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })

  beforeAll(async () => {
    controlPlane = await startControlPlane({
      apiserver: ['--disable-admission-plugins=ServiceAccount,TaintNodesByCondition'],
      controllerManager: [
        '--controllers=deployment-controller,replicaset-controller,horizontal-pod-autoscaler-controller',
        '--horizontal-pod-autoscaler-sync-period=1s',
        '--horizontal-pod-autoscaler-cpu-initialization-period=1ms',
        '--horizontal-pod-autoscaler-initial-readiness-delay=1ms',
      ],
    })
    const rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
    cluster = new RemoteCluster({ world, rest })
    kube = cluster.kubeOf('kubectl')
    await kube.sync(Pod, HorizontalPodAutoscaler, Deployment)
    playKubelet(kube, (task) => void world.spawn('kubelet', task))
    const { kubectl: program } = await ensureBinaries(['kubectl'])
    const config = join(controlPlane.folder, 'kubeconfig')
    kubectl = async (...args) =>
      (await run(program, ['--kubeconfig', config, '--cache-dir', join(controlPlane.folder, 'kubectl'), ...args]))
        .stdout
    world.spawn('make', make(kube))
    real.absent = await settled('absent')
    const apis = new MetricsApis()
    serve(
      apis,
      () => kube,
      () => clock.now,
    )
    served = await serveMetricsApis({ world, rest, apis, pki: controlPlane.pki })
    real.served = await settled('served')
    stop = () => apis.stop()
  }, 300_000)
  afterAll(async () => {
    await served?.close()
    cluster?.stop()
    clock.stop()
    await controlPlane?.stop()
  })

  /** What all say once it is what ours say; a difference that stays is the tests' to show. */
  async function settled(phase: keyof Told): Promise<Told['served']> {
    const deadline = clock.now + seconds(60)
    for (;;) {
      const hpas = NAMES.map((name) => [name, kube.get(HorizontalPodAutoscaler, `default/${name}`)] as const)
      const said = Object.fromEntries(hpas.map(([name, hpa]) => [name, told(hpa)]))
      if (clock.now > deadline || isDeepStrictEqual(said, ours![phase])) return said
      await new Promise<void>((resolve) => void clock.after(ms(100), resolve))
    }
  }

  it.each(NAMES)('%s: as our HPA with the same metrics', (name) => {
    const { [name]: said } = real.served!
    expect(ours!.served[name]).toEqual(said)
    if (name in SCALES) expect(said!.desired).toBe(4)
    else expect(said!.conditions?.join()).toContain('ScalingActive False FailedGet')
  })

  it('says what ours says where nobody serves an API', () => {
    expect(ours!.absent).toEqual(real.absent)
    expect(real.absent!['pods']!.conditions?.join()).toContain(
      'no custom metrics API (custom.metrics.k8s.io) registered',
    )
  })

  it('is seen by kubectl', async () => {
    const path = '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/chat-queue'
    const raw = await kubectl('get', '--raw', `${path}?labelSelector=scaledobject.keda.sh%2Fname%3Dchat`)
    expect(JSON.parse(raw)).toMatchObject({
      kind: 'ExternalMetricValueList',
      apiVersion: 'external.metrics.k8s.io/v1beta1',
      items: [
        { metricName: 'chat-queue', metricLabels: { queue: 'a' }, value: '2500m' },
        { metricName: 'chat-queue', metricLabels: null, value: '5500m' },
      ],
    })
    const top = (await kubectl('top', 'pods', '-l', 'app=resource', '--no-headers')).trim().split('\n')
    expect(top).toHaveLength(4)
    expect(top[0]).toMatch(/^resource-\S+\s+200m\s+1024Mi\s*$/)
    expect(await kubectl('api-resources', '--api-group=metrics.k8s.io', '--no-headers', '-o', 'name')).toContain(
      'pods.metrics.k8s.io',
    )
    await expect(
      kubectl('get', '--raw', '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/services/x/inflight'),
    ).rejects.toThrow('the server could not find the metric inflight for services x')
  })

  it('answers nobody but the aggregator', async () => {
    const answered = fetch(`https://127.0.0.1:${served.port}/apis/metrics.k8s.io/v1beta1/pods`)
    await expect(answered).rejects.toThrow('fetch failed')
  })

  it('says what ours says while the servers behind the APIs are down', async () => {
    const heal = stop()
    const said = await settled('down')
    heal()
    expect(ours!.down).toEqual(said)
    expect(said['resource']!.conditions?.join()).toContain('the server is currently unable to handle the request')
  })
})
