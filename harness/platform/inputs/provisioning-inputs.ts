import { assumedDelays, type ProvisioningDelays } from '../../../sandbox/autoscaling/nodes/machines.ts'
import type { SeatrialConfig } from '../config/config.ts'
import { assumed, declaredInput, type Input } from './input.ts'

/** How long machines take that are bought while a platform runs. */
export interface ProvisioningInputs {
  /** From the order of a machine to a kubelet that registers. */
  readonly joinUs: Input<number>
  /** From there to allocatable GPUs. */
  readonly gpusUs: Input<number>
}

export const provisioningInputs = (config: SeatrialConfig | undefined): ProvisioningInputs => ({
  joinUs: delayInput(config, 'joins', 'register'),
  gpusUs: delayInput(config, 'gpusAfter', 'devicePlugin'),
})

function delayInput(
  config: SeatrialConfig | undefined,
  key: 'joins' | 'gpusAfter',
  delay: 'register' | 'devicePlugin',
): Input<number> {
  const given = config?.provisioning?.[key]
  if (config && given) return declaredInput(config, ['provisioning', key], given)
  const { typical, low, high, source } = assumedDelays[delay]
  return assumed(typical, [low, high], `${source}: give provisioning.${key} in seatrial.yaml`)
}

/** The delays of a trial: the inputs, or what it takes in their place. */
export const delaysOf = (
  inputs: ProvisioningInputs | undefined,
  { joinUs, gpusUs }: { readonly joinUs?: number | undefined; readonly gpusUs?: number | undefined } = {},
): ProvisioningDelays => ({
  register: joinUs ?? inputs?.joinUs.value ?? assumedDelays.register.typical,
  devicePlugin: gpusUs ?? inputs?.gpusUs.value ?? assumedDelays.devicePlugin.typical,
  refusal: assumedDelays.refusal.typical,
})
