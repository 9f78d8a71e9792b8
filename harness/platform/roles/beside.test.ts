import { describe, expect, test } from 'vitest'
import { simCapabilities } from '../../../sandbox/tiers/sim/capabilities.ts'
import { frontContainerOf } from './front-container.ts'
import { findVllmServers } from './inference-servers.ts'
import { bucketNote, bucketUnder, sidecarNotes } from './sidecars.ts'
import { deployment, load, SERVICE } from './testkit.ts'
import { unjudgedWorkloads } from './unjudged.ts'
import { unmodelled } from './unmodelled.ts'

const served = async (text: string) => {
  const platform = await load(text)
  return { platform, server: findVllmServers(platform)[0]! }
}

describe('what runs beside a server', () => {
  test('is named, but for what only sleeps', async () => {
    const init = `      initContainers:
        - {name: wait, image: busybox, command: [sleep, "1"]}
        - {name: syncer, image: acme/lora-syncer, restartPolicy: Always}
`
    const { server } = await served(
      deployment('        - {name: idle, image: busybox, command: [sleep, infinity]}\n', init),
    )
    expect(sidecarNotes(server)).toEqual([
      expect.stringMatching(/nothing else: proxy \(stdin:\d+:\d+\), syncer \(stdin:\d+:\d+\)$/),
    ])
  })

  test('the proxy of a mesh in the manifest is as good as one that is injected', async () => {
    const { platform, server } = await served(
      deployment('        - {name: istio-proxy, image: "docker.io/istio/proxyv2:1.27.0"}\n'),
    )
    expect(unmodelled(platform, server, simCapabilities).map(({ what }) => what)).toEqual([
      'deployments.apps/chat spec.template.spec.containers[2]',
    ])
  })

  test('a container that takes the requests of the Service is told, unless the Service leads past it', async () => {
    const proxied = deployment('', '').replace(
      'image: envoyproxy/envoy:v1.31',
      'image: acme/proxy\n          ports: [{name: in, containerPort: 9000}]',
    )
    const { platform, server } = await served(`${proxied}---\n${SERVICE}`)
    const service = platform.objects.find(({ manifest }) => manifest.kind === 'Service')!
    expect(frontContainerOf(server, service, 8000)).toBeUndefined()
    const through = await served(`${proxied}---\n${SERVICE.replace('targetPort: http', 'targetPort: in')}`)
    const other = through.platform.objects.find(({ manifest }) => manifest.kind === 'Service')!
    expect(frontContainerOf(through.server, other, 8000)).toMatchObject({ name: 'proxy', port: 9000 })
  })
})

describe('weights in a bucket', () => {
  const mount = '          volumeMounts: [{name: models, mountPath: /gcs}]\n'
  const volume = (what: string) => `      volumes:\n        - name: models\n          ${what}\n`

  test('mounted by the pod itself', async () => {
    const { platform, server } = await served(
      deployment(mount, volume('csi: {driver: gcsfuse.csi.storage.gke.io, volumeAttributes: {bucketName: b}}')),
    )
    expect(bucketUnder(platform, server, '/gcs/chat')).toMatchObject({ name: 'Cloud Storage FUSE' })
    expect(bucketUnder(platform, server, '/models/chat')).toBeUndefined()
    const [note] = bucketNote(platform, server, { folder: '/gcs/chat', loadTimeGiven: false })
    expect(note).toMatch(
      /through Cloud Storage FUSE \(stdin:\d+:\d+\), taken to give 500 MB\/s .* the sidecar added for it is not simulated/,
    )
  })

  test('by a claim whose volume is among the manifests', async () => {
    const claim = `---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: models}
spec: {accessModes: [ReadOnlyMany], volumeName: models, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: models}
spec: {accessModes: [ReadOnlyMany], capacity: {storage: 1Gi}, csi: {driver: s3.csi.aws.com, volumeHandle: b}}
`
    const { platform, server } = await served(
      deployment(mount, volume('persistentVolumeClaim: {claimName: models}')) + claim,
    )
    expect(bucketUnder(platform, server, '/gcs')).toMatchObject({ name: 'Mountpoint for Amazon S3' })
  })

  test("GKE's sidecar is named where no such volume is the server's", async () => {
    const annotated = deployment().replace(
      'labels: {app: chat',
      'annotations: {gke-gcsfuse/volumes: "true"}, labels: {app: chat',
    )
    const { platform, server } = await served(annotated)
    expect(bucketNote(platform, server, { folder: '/x', loadTimeGiven: true })).toEqual([
      expect.stringMatching(/^the sidecar that GKE adds for Cloud Storage FUSE \(stdin:\d+:\d+\) is not simulated/),
    ])
  })
})

test('servers other than vLLM, and GPUs nobody knows the use of, are said not to be judged', async () => {
  const one = (name: string, container: string) =>
    `---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\nspec:\n  selector: {matchLabels: {app: ${name}}}\n  template:\n    metadata: {labels: {app: ${name}}}\n    spec: {containers: [{name: main, ${container}}]}\n`
  const platform = await load(
    [
      deployment(),
      one('sg', 'image: "lmsysorg/sglang:v0.5", command: [python3, -m, sglang.launch_server]'),
      one('train', 'image: "acme/train", resources: {limits: {nvidia.com/gpu: 1}}'),
      one('web', 'image: "acme/web"'),
    ].join(''),
  )
  const judged = new Set(findVllmServers(platform).map(({ object }) => object))
  expect(
    unjudgedWorkloads(platform, (object) => judged.has(object)).map(({ object, why }) => `${object.id}: ${why}`),
  ).toEqual([
    'Deployment/sg: it runs SGLang; only vLLM is simulated',
    'Deployment/train: it takes 1 GPU, and what acme/train runs is not known',
  ])
})
