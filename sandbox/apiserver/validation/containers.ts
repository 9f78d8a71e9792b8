import type * as o from '../../kube/objects.ts'
import {
  type Causes,
  duplicate,
  forbidden,
  invalids,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from './field.ts'
import { dns1123Label, envName, portName, portNumber } from './names.ts'
import { containerProbes, lifecycleHooks } from './probes.ts'
import { containerResources } from './resources.ts'

/** What the containers of a pod share. */
export interface PodContext {
  readonly volumes: ReadonlySet<string>
  readonly graceSeconds: number
}

/** Follows pkg/apis/core/validation/validation.go validateContainers. */
export function containers(list: readonly o.Container[], pod: PodContext, path: string): Causes {
  if (list.length === 0) return [required(path)]
  const names = new Set<string>()
  const causes = list.flatMap((container, i) => {
    const at = `${path}[${i}]`
    return [
      ...common(container, pod, at),
      ...unique(names, container.name, `${at}.name`),
      ...(container.lifecycle ? lifecycleHooks(container.lifecycle, pod.graceSeconds, `${at}.lifecycle`) : []),
      ...containerProbes(container, pod.graceSeconds, at),
      ...restartPolicy(container, at),
    ]
  })
  return [...causes, ...hostPorts(list, path)]
}

/** Follows validateInitContainers: one with `restartPolicy: Always` is a sidecar and may be probed. */
export function initContainers(
  list: readonly o.Container[],
  regular: readonly o.Container[],
  pod: PodContext,
  path: string,
): Causes {
  const names = new Set(regular.map((container) => container.name))
  return list.flatMap((container, i) => {
    const at = `${path}[${i}]`
    const causes = [
      ...common(container, pod, at),
      ...restartPolicy(container, at),
      ...unique(names, container.name, `${at}.name`),
      ...hostPorts([container], path),
    ]
    if (container.restartPolicy === 'Always') {
      if (container.lifecycle) causes.push(...lifecycleHooks(container.lifecycle, pod.graceSeconds, `${at}.lifecycle`))
      return [...causes, ...containerProbes(container, pod.graceSeconds, at)]
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
      if (container[field])
        causes.push(forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'))
    return causes
  })
}

/** Follows validateContainerCommon. */
function common(container: o.Container, pod: PodContext, path: string): Causes {
  const { name, image, imagePullPolicy } = container
  return [
    ...(name ? invalids(`${path}.name`, name, dns1123Label(name)) : [required(`${path}.name`)]),
    ...(image ? [] : [required(`${path}.image`)]),
    ...oneOf(container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError'], `${path}.terminationMessagePolicy`),
    ...ports(container.ports ?? [], `${path}.ports`),
    ...env(container.env ?? [], `${path}.env`),
    ...volumeMounts(container.volumeMounts ?? [], pod.volumes, `${path}.volumeMounts`),
    ...oneOf(imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.imagePullPolicy`),
    ...containerResources(container.resources, `${path}.resources`),
  ]
}

export const oneOf = (value: string | undefined, supported: readonly string[], path: string): Causes =>
  value === undefined || supported.includes(value) ? [] : [notSupported(path, value, supported)]

const restartPolicy = (container: o.Container, path: string): Causes =>
  oneOf(container.restartPolicy, ['Always', 'Never', 'OnFailure'], `${path}.restartPolicy`)

function unique(names: Set<string>, name: string, path: string): Causes {
  if (names.has(name)) return [duplicate(path, name)]
  names.add(name)
  return []
}

function ports(list: NonNullable<o.Container['ports']>, path: string): Causes {
  const names = new Set<string>()
  return list.flatMap(({ name, containerPort, hostPort, protocol }, i) => {
    const at = `${path}[${i}]`
    const wrong = name ? portName(name) : []
    return [
      ...(wrong.length > 0 ? invalids(`${at}.name`, name, wrong) : name ? unique(names, name, `${at}.name`) : []),
      ...(containerPort
        ? invalids(`${at}.containerPort`, containerPort, portNumber(containerPort))
        : [required(`${at}.containerPort`)]),
      ...(hostPort ? invalids(`${at}.hostPort`, hostPort, portNumber(hostPort)) : []),
      ...oneOf(protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`),
    ]
  })
}

function hostPorts(list: readonly o.Container[], path: string): Causes {
  const taken = new Set<string>()
  return list.flatMap((container, i) =>
    (container.ports ?? []).flatMap((port, j) => {
      const { hostPort, protocol, hostIP = '' } = port as typeof port & { hostIP?: string }
      return hostPort ? unique(taken, `${protocol}/${hostIP}/${hostPort}`, `${path}[${i}].ports[${j}].hostPort`) : []
    }),
  )
}

const ENV_SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef']

function env(list: readonly o.EnvVar[], path: string): Causes {
  return list.flatMap(({ name, value, valueFrom }, i) => {
    const at = `${path}[${i}]`
    const causes = name ? invalids(`${at}.name`, name, envName(name)) : [required(`${at}.name`)]
    if (!valueFrom) return causes
    const sources = ENV_SOURCES.filter((source) => (valueFrom as Record<string, unknown>)[source])
    const wrong =
      sources.length === 0
        ? 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
        : value
          ? 'may not be specified when `value` is not empty'
          : sources.length > 1
            ? 'may not have more than one field specified at a time'
            : undefined
    return wrong ? [...causes, invalidValue(`${at}.valueFrom`, '', wrong)] : causes
  })
}

function volumeMounts(
  mounts: NonNullable<o.Container['volumeMounts']>,
  volumes: ReadonlySet<string>,
  path: string,
): Causes {
  const taken = new Set<string>()
  return mounts.flatMap(({ name, mountPath }, i) => {
    const at = `${path}[${i}]`
    const twice = taken.has(mountPath)
    taken.add(mountPath)
    return [
      ...(name ? [] : [required(`${at}.name`)]),
      ...(volumes.has(name) ? [] : [notFoundValue(`${at}.name`, name ?? '')]),
      ...(mountPath ? [] : [required(`${at}.mountPath`)]),
      ...(twice ? [invalidValue(`${at}.mountPath`, mountPath, 'must be unique')] : []),
    ]
  })
}
