import { containerPath, type Diagnosis, PROBES, type ProbeName, type RemedyContext, serverContainer } from './remedy.ts'

/** A probe that can never be answered, whatever its budget: the wrong port, or the wrong scheme. Undefined when it asks rightly. */
export const misdirected = (context: RemedyContext, probe: ProbeName): Diagnosis | undefined =>
  wrongPort(context, probe) ?? wrongScheme(context, probe)

function wrongScheme(context: RemedyContext, probe: ProbeName): Diagnosis | undefined {
  const container = serverContainer(context)
  const scheme = context.server.tls ? 'HTTPS' : 'HTTP'
  const isWrong = (name: ProbeName) => {
    const get = container[name]?.httpGet
    return get !== undefined && (get.scheme ?? 'HTTP') !== scheme
  }
  if (!isWrong(probe)) return undefined
  const wrong = PROBES.filter(isWrong)
  const pathOfScheme = (name: ProbeName) => `${containerPath(context)}.${name}.httpGet.scheme`
  return {
    path: pathOfScheme(probe),
    says: `${probe} speaks ${container[probe]?.httpGet?.scheme ?? 'HTTP'}; the server speaks ${scheme}`,
    candidates: [
      {
        says: `scheme: ${scheme} in ${wrong.join(', ')}`,
        changes: wrong.map((name) => ({ path: pathOfScheme(name), value: scheme })),
      },
    ],
  }
}

function wrongPort(context: RemedyContext, probe: ProbeName): Diagnosis | undefined {
  const asked = portOf(context, probe)
  const { port } = context.server
  if (!asked || asked.number === port) return undefined
  const wrong = PROBES.filter((name) => {
    const one = portOf(context, name)
    return one !== undefined && one.number !== port
  })
  return {
    path: pathOf(context, probe),
    says: `${probe} asks on port ${asked.given}${asked.number === asked.given ? '' : ` (${asked.number ?? 'no port of the container has this name'})`}; the server listens on ${port}`,
    candidates: [
      {
        says: `port ${port} in ${wrong.join(', ')}`,
        changes: wrong.map((name) => ({ path: pathOf(context, name), value: port })),
      },
    ],
  }
}

const pathOf = (context: RemedyContext, probe: ProbeName): string =>
  `${containerPath(context)}.${probe}.${serverContainer(context)[probe]?.httpGet ? 'httpGet' : 'tcpSocket'}.port`

function portOf(
  context: RemedyContext,
  probe: ProbeName,
): { given: number | string; number: number | undefined } | undefined {
  const container = serverContainer(context)
  const given = (container[probe]?.httpGet ?? container[probe]?.tcpSocket)?.port
  if (given === undefined) return undefined
  const number = typeof given === 'string' ? container.ports?.find((p) => p.name === given)?.containerPort : given
  return { given, number }
}
