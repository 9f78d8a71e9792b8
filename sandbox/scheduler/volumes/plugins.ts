import type { Plugin } from '../framework/plugin.ts'
import { volumeBinding } from './binding.ts'
import { nodeVolumeLimits } from './limits.ts'
import { volumeRestrictions } from './restrictions.ts'
import type { VolumeBinder } from './volume-binder.ts'
import { volumeZone } from './zones.ts'

/** The plugins of volumes in their order: restrictions, limits by node, binding, zones. */
export const volumePlugins = (binder: VolumeBinder): readonly Plugin[] => [
  volumeRestrictions(binder.kube),
  nodeVolumeLimits(binder.kube),
  volumeBinding(binder),
  volumeZone(binder.kube),
]
