/** A control plane that cannot be had or does not come up. */
export class ControlPlaneError extends Error {
  readonly code: 'CONTROL_PLANE_MISSING' | 'CONTROL_PLANE_BUILD' | 'CONTROL_PLANE_CHECKSUM' | 'CONTROL_PLANE_START'

  constructor(code: ControlPlaneError['code'], message: string) {
    super(message)
    this.name = 'ControlPlaneError'
    this.code = code
  }
}
