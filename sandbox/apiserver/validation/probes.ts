import type * as o from '../../kube/objects.ts'
import { type Causes, forbidden, invalids, invalidValue, nonnegative, notSupported, required } from './field.ts'
import { headerName, portName, portNumber } from './names.ts'

/** Follows pkg/apis/core/validation/validation.go validateLivenessProbe, validateReadinessProbe and validateStartupProbe. */
export function containerProbes(container: o.Container, graceSeconds: number, path: string): Causes {
  const { livenessProbe, readinessProbe, startupProbe } = container
  return [
    ...killing(livenessProbe, graceSeconds, `${path}.livenessProbe`),
    ...readiness(readinessProbe, graceSeconds, `${path}.readinessProbe`),
    ...killing(startupProbe, graceSeconds, `${path}.startupProbe`),
  ]
}

export function lifecycleHooks(
  lifecycle: NonNullable<o.Container['lifecycle']>,
  graceSeconds: number,
  path: string,
): Causes {
  return (['postStart', 'preStop'] as const).flatMap((hook) => {
    const action = lifecycle[hook]
    return action ? handler(action, graceSeconds, `${path}.${hook}`) : []
  })
}

function killing(probe: o.Probe | undefined, graceSeconds: number, path: string): Causes {
  if (!probe) return []
  const { successThreshold } = probe
  return [
    ...common(probe, graceSeconds, path),
    ...(successThreshold === 1 ? [] : [invalidValue(`${path}.successThreshold`, successThreshold, 'must be 1')]),
  ]
}

function readiness(probe: o.Probe | undefined, graceSeconds: number, path: string): Causes {
  if (!probe) return []
  const { terminationGracePeriodSeconds: grace } = probe
  return [
    ...common(probe, graceSeconds, path),
    ...(grace === undefined
      ? []
      : [invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes')]),
  ]
}

function common(probe: o.Probe, graceSeconds: number, path: string): Causes {
  const causes = handler(probe, graceSeconds, path)
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const)
    causes.push(...nonnegative(probe[field], `${path}.${field}`))
  const grace = probe.terminationGracePeriodSeconds
  if (grace !== undefined && grace <= 0)
    causes.push(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'))
  return causes
}

type Handler = o.ProbeHandler & o.LifecycleHandler

/** Exactly one way to act. Follows validateHandler. */
function handler(given: Handler, graceSeconds: number, path: string): Causes {
  const causes: Causes = []
  let found = 0
  for (const kind of ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const) {
    if (!given[kind]) continue
    if (found++ > 0) causes.push(forbidden(`${path}.${kind}`, 'may not specify more than 1 handler type'))
    else causes.push(...ACTIONS[kind](given, `${path}.${kind}`, graceSeconds))
  }
  return found === 0 ? [required(path, 'must specify a handler type')] : causes
}

const ACTIONS: Record<keyof Handler, (given: Handler, path: string, graceSeconds: number) => Causes> = {
  exec: ({ exec }, path) => (exec!.command?.length ? [] : [required(`${path}.command`)]),
  httpGet: ({ httpGet }, path) => [
    ...portNumberOrName(httpGet!.port, `${path}.port`),
    ...(httpGet!.scheme === 'HTTP' || httpGet!.scheme === 'HTTPS'
      ? []
      : [notSupported(`${path}.scheme`, httpGet!.scheme, ['HTTP', 'HTTPS'])]),
    ...(httpGet!.httpHeaders ?? []).flatMap(({ name }) => invalids(`${path}.httpHeaders`, name, headerName(name))),
  ],
  tcpSocket: ({ tcpSocket }, path) => portNumberOrName(tcpSocket!.port, `${path}.port`),
  grpc: ({ grpc }, path) => portNumberOrName(grpc!.port, `${path}.port`),
  sleep: ({ sleep }, path, graceSeconds) =>
    sleep!.seconds < 0 || sleep!.seconds > graceSeconds
      ? [
          invalidValue(
            path,
            sleep!.seconds,
            `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`,
          ),
        ]
      : [],
}

/** Follows ValidatePortNumOrName; a port that is not given is 0. */
export const portNumberOrName = (port: o.IntOrString | undefined, path: string): Causes =>
  typeof port === 'string' ? invalids(path, port, portName(port)) : invalids(path, port ?? 0, portNumber(port ?? 0))
