import type { FieldPath } from '../path.ts'
import type { PlatformObject } from '../platform.ts'
import type { InferenceServerRole } from './inference-servers.ts'

/** A container of the server's own pods that takes the requests of its Service. */
export interface FrontContainer {
  readonly name: string
  readonly port: number
  readonly path: FieldPath
}

/** The container that listens where a Service's ports lead, when none of them leads to the server's own port. */
export function frontContainerOf<R>(
  { template, container: server }: InferenceServerRole<R>,
  service: PlatformObject,
  serverPort: number,
): FrontContainer | undefined {
  const beside = [
    ...template.spec.containers.map((one, i) => ({ one, path: [...template.path, 'containers', i] })),
    ...(template.spec.initContainers ?? []).map((one, i) => ({ one, path: [...template.path, 'initContainers', i] })),
  ]
  const ports = ((service.manifest['spec'] as { ports?: ServicePort[] } | undefined)?.ports ?? []).map(
    ({ port, targetPort = port }) => targetPort,
  )
  const found = ports.flatMap((target) =>
    beside.flatMap(({ one, path }) =>
      (one.ports ?? [])
        .filter((port) => (typeof target === 'string' ? port.name === target : port.containerPort === target))
        .map(({ containerPort }) => ({ name: one.name, port: containerPort, path })),
    ),
  )
  const leadsToServer =
    ports.includes(serverPort) || found.some(({ name, port }) => name === server.name && port === serverPort)
  return leadsToServer ? undefined : found.find(({ name }) => name !== server.name)
}

interface ServicePort {
  readonly port: number
  readonly targetPort?: number | string
}
