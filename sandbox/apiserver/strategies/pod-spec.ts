import type * as o from '../../kube/objects.ts'
import { canonicalQuantities, each, fill, fillZero, type Json, memoised, within } from './fill.ts'
import { isLatest } from './images.ts'
import { defaultVolume } from './volumes.ts'

/**
 * The spec of a pod template after defaulting. Near free for a spec that went through it before.
 * Follows pkg/apis/core/v1/defaults.go SetDefaults_PodSpec and zz_generated.defaults.go.
 */
export const defaultTemplateSpec = memoised((spec: o.PodSpec): o.PodSpec => {
  let out = fill(spec, { securityContext: {}, terminationGracePeriodSeconds: 30, containers: [] })
  out = fillZero(out, { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' })
  out = withServiceAccountAlias(out)
  out = within(out, 'volumes', defaultVolumes)
  out = within(out, 'initContainers', defaultContainers)
  out = within(out, 'overhead', canonicalQuantities)
  out = within(out, 'resources', defaultResources)
  return within(out, 'containers', defaultContainers)
})

const defaultVolumes = memoised((volumes: NonNullable<o.PodSpec['volumes']>) => each(volumes, defaultVolume))
const defaultContainers = memoised((containers: o.Container[]) => each(containers, defaultContainer))

/** `serviceAccount` is the old name of `serviceAccountName`; the server writes both. Follows pkg/apis/core/v1/conversion.go. */
function withServiceAccountAlias(spec: o.PodSpec & { serviceAccount?: string }): o.PodSpec {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (!name || (spec.serviceAccountName === name && spec.serviceAccount === name)) return spec
  return { ...spec, serviceAccountName: name, serviceAccount: name } as o.PodSpec
}

function defaultContainer(container: o.Container): o.Container {
  let out = fillZero(container, {
    imagePullPolicy: isLatest(container.image) ? 'Always' : 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  })
  out = within(fill(out, { resources: {} }), 'resources', defaultResources)
  out = within(out, 'ports', (ports) => each(ports, (port) => fillZero(port, { protocol: 'TCP' })))
  out = within(out, 'env', (env) => each(env, defaultEnv))
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const)
    out = within(out, probe, defaultProbe)
  return within(out, 'lifecycle', (lifecycle) => {
    const postStart = within(lifecycle, 'postStart', defaultHandler)
    return within(postStart, 'preStop', defaultHandler)
  })
}

const defaultResources = <R extends o.Container['resources']>(resources: R): R =>
  within(within(resources, 'limits', canonicalQuantities), 'requests', canonicalQuantities)

const defaultProbe = (probe: o.Probe): o.Probe => {
  const filled = fillZero(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
  return within(within(filled, 'httpGet', defaultHttpGet), 'grpc', (grpc) => fill(grpc, { service: '' }))
}

const defaultHandler = (handler: o.LifecycleHandler): o.LifecycleHandler => within(handler, 'httpGet', defaultHttpGet)

const defaultHttpGet = (action: o.HttpGetAction): o.HttpGetAction => fillZero(action, { path: '/', scheme: 'HTTP' })

const defaultEnv = (env: o.EnvVar): o.EnvVar =>
  within(env as { valueFrom?: Json }, 'valueFrom', (from) =>
    within(
      within(from, 'fieldRef', (ref) => fillZero(ref as Json, { apiVersion: 'v1' })),
      'fileKeyRef',
      (ref) => fill(ref as Json, { optional: false }),
    ),
  ) as o.EnvVar
