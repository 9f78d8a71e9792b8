import { containerPath, type Diagnosis, type RemedyContext, serverContainer } from './remedy.ts'

/** A probe of a port on which the server does not listen: no budget helps. Undefined when it asks the right one. */
export function wrongPort(context: RemedyContext, probe: 'startupProbe' | 'livenessProbe'): Diagnosis | undefined {
  const container = serverContainer(context)
  const asked = (container[probe]?.httpGet ?? container[probe]?.tcpSocket)?.port
  const number = typeof asked === 'string' ? container.ports?.find((p) => p.name === asked)?.containerPort : asked
  const { port } = context.server
  if (asked === undefined || number === port) return undefined
  const path = `${containerPath(context)}.${probe}.${container[probe]?.httpGet ? 'httpGet' : 'tcpSocket'}.port`
  return {
    path,
    says: `${probe} asks on port ${asked}${number === undefined || number === asked ? '' : ` (${number})`}; the server listens on ${port}`,
    candidates: [{ says: `${probe} on port ${port}`, changes: [{ path, value: port }] }],
  }
}
