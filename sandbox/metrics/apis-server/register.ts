import { isApiError } from '../../kube/errors.ts'
import type { Rest } from '../../kube/remote/rest.ts'
import { ms, seconds, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { MetricsGroup } from '../adapter/metrics-client.ts'
import { VERSIONS } from './discovery.ts'

/** The Service behind the APIServices: a name for 127.0.0.1. */
export const SERVICE = { namespace: 'kube-system', name: 'seatrial-metrics-apis' } as const

/** The name in the server's certificate. */
export const SERVER_NAME = `${SERVICE.name}.${SERVICE.namespace}.svc`

export interface Registration {
  readonly world: World
  readonly rest: Rest
  readonly groups: readonly MetricsGroup[]
  readonly port: number
  /** PEM. */
  readonly ca: string
}

/** An API that the aggregator did not take. */
export class RegistrationError extends Error {
  override readonly name = 'RegistrationError'
  readonly code = 'METRICS_API_UNAVAILABLE'
}

const PROCESS = 'metrics-apis'
const POLL: Us = ms(50)
const AVAILABLE_WITHIN: Us = seconds(30)

/**
 * Makes the Service and an APIService for every version, and waits until all are Available. Returns how to take them away. Fails with
 * a `RegistrationError`.
 */
// follows ResolveCluster of k8s.io/apiserver/pkg/util/proxy/proxy.go: an ExternalName is where the aggregator goes
export async function register(registration: Registration): Promise<() => Promise<void>> {
  const { rest, port } = registration
  const services = apiServices(registration)
  const send = (method: 'POST' | 'DELETE', path: string, body?: unknown) =>
    rest.send({ method, path, process: PROCESS, ...(body === undefined ? {} : { body }) })
  const paths = [...services.map(({ metadata }) => `${API_SERVICES}/${metadata.name}`), `${SERVICES}/${SERVICE.name}`]
  const remove = async () => {
    // the cluster may be gone already
    await Promise.allSettled(paths.map((path) => send('DELETE', path)))
  }
  try {
    await send('POST', SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: SERVICE,
      spec: { type: 'ExternalName', externalName: '127.0.0.1', ports: [{ port, protocol: 'TCP' }] },
    })
    await Promise.all(services.map((service) => send('POST', API_SERVICES, service)))
    await available(
      registration,
      services.map(({ metadata }) => metadata.name),
    )
  } catch (error) {
    await remove()
    throw error
  }
  return remove
}

const SERVICES = `/api/v1/namespaces/${SERVICE.namespace}/services`
const API_SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices'

const apiServices = ({ groups, port, ca }: Registration) =>
  groups.flatMap((group) =>
    VERSIONS[group].map((version, i) => ({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `${version}.${group}` },
      spec: {
        group,
        version,
        service: { ...SERVICE, port },
        caBundle: Buffer.from(ca).toString('base64'),
        groupPriorityMinimum: 100,
        versionPriority: 200 - 100 * i,
      },
    })),
  )

interface ApiService {
  readonly status?: { readonly conditions?: readonly { type: string; status: string; message?: string }[] }
}

async function available({ world: { clock }, rest }: Registration, names: readonly string[]): Promise<void> {
  const deadline = clock.now + AVAILABLE_WITHIN
  for (const name of names)
    for (;;) {
      const condition = await availability(rest, name)
      if (condition?.status === 'True') break
      if (clock.now > deadline)
        throw new RegistrationError(
          `APIService ${name} did not become available within ${AVAILABLE_WITHIN / 1e6} s: ${condition?.message ?? 'nothing is said of it'}. ` +
            'Check that nothing stands between kube-apiserver and 127.0.0.1.',
        )
      await new Promise<void>((resolve) => void clock.after(POLL, resolve))
    }
}

async function availability(rest: Rest, name: string) {
  try {
    const { status } = (await rest.send({
      method: 'GET',
      path: `${API_SERVICES}/${name}`,
      process: PROCESS,
    })) as ApiService
    return status?.conditions?.find(({ type }) => type === 'Available')
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined
    throw error
  }
}
