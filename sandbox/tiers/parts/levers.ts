import { nodeLevers } from '../../autoscaling/nodes/node-levers.ts'
import type { Levers } from '../tier.ts'
import { cloudCapacity } from './levers/cloud-capacity.ts'
import { engineHang } from './levers/engine-hang.ts'
import { engineLoadFactor } from './levers/engine-load-factor.ts'
import { metricsPath, metricsSeries } from './levers/metrics-path.ts'
import { podProcess } from './levers/pod-process.ts'
import { registryBandwidth } from './levers/registry-bandwidth.ts'
import type { SandboxParts } from './parts.ts'

/** Every lever of a sandbox with simulated nodes. */
const makers = {
  'engine.loadFactor': engineLoadFactor,
  'engine.hang': engineHang,
  'pod.process': podProcess,
  'node.power': (parts) => nodeLevers(parts)['node.power'],
  'node.network': (parts) => nodeLevers(parts)['node.network'],
  'node.reclaim': (parts) => nodeLevers(parts)['node.reclaim'],
  'cloud.capacity': cloudCapacity,
  'gpu.health': (parts) => nodeLevers(parts)['gpu.health'],
  'metrics.path': metricsPath,
  'metrics.series': metricsSeries,
  'registry.bandwidth': registryBandwidth,
} satisfies { [name in keyof Levers]: (parts: SandboxParts) => Levers[name] }

export const leverNames = Object.keys(makers) as (keyof typeof makers)[]

export const leversOf = (parts: SandboxParts): Levers =>
  Object.fromEntries(leverNames.map((name) => [name, makers[name](parts)]))
