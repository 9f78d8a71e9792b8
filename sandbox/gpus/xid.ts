/** What the driver's report of an Xid means for the GPU and for the process that uses it. */
export interface XidEffect {
  readonly name: string
  /** The process using the GPU gets an error it does not survive. */
  readonly killsProcess: boolean
  /** The device plugin marks the GPU unhealthy, for as long as the plugin runs. */
  readonly unhealthy: boolean
  /** The GPU does not answer any more: no container starts on it. */
  readonly lost: boolean
}

const application = (name: string): XidEffect => ({ name, killsProcess: true, unhealthy: false, lost: false })
const fault = (name: string, lost = false): XidEffect => ({ name, killsProcess: true, unhealthy: true, lost })

/**
 * Xids by number. Those the device plugin takes for errors of the application leave the GPU healthy: 13, 31, 43, 45, 68, 109
 * (k8s-device-plugin internal/rm/health.go); any other makes it unhealthy, and nothing there makes it healthy again.
 * Names are those of NVIDIA's Xid table.
 */
const XIDS: Readonly<Record<number, XidEffect>> = {
  13: application('Graphics Engine Exception'),
  31: application('GPU memory page fault'),
  43: application('GPU stopped processing'),
  45: application('Preemptive cleanup, due to previous errors'),
  68: application('Video processor exception'),
  109: application('Context Switch Timeout Error'),
  48: fault('Double Bit ECC Error'),
  63: {
    name: 'ECC page retirement or row remapping recording event',
    killsProcess: false,
    unhealthy: true,
    lost: false,
  },
  64: {
    name: 'ECC page retirement or row remapper recording failure',
    killsProcess: false,
    unhealthy: true,
    lost: false,
  },
  74: fault('NVLink Error'),
  79: fault('GPU has fallen off the bus', true),
  92: { name: 'High single-bit ECC error rate', killsProcess: false, unhealthy: true, lost: false },
  94: fault('Contained ECC error'),
  95: fault('Uncontained ECC error'),
  119: fault('GSP RPC Timeout', true),
  120: fault('GSP Error', true),
}

/** Throws a RangeError for an Xid whose effect is not known. */
export function xidEffect(xid: number): XidEffect {
  const effect = XIDS[xid]
  if (!effect)
    throw new RangeError(`the effect of Xid ${xid} is not known; those known are ${Object.keys(XIDS).join(', ')}`)
  return effect
}
