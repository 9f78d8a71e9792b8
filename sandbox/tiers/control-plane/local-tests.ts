import { CONTROL_PLANE, ensureBinaries, whyUnavailable } from './binaries.ts'
import { ControlPlaneError } from './errors.ts'

/** Vitest's global setup of `*.local.test.ts`: gets what is missing once, before tests that would each try, or says why not. */
export async function setup(): Promise<void> {
  const why = (await whyUnavailable()) ?? (await whyNotMade())
  if (why) console.warn(`skipped: ${why}`)
}

async function whyNotMade(): Promise<string | undefined> {
  try {
    await ensureBinaries([...CONTROL_PLANE, 'kubectl'])
    return undefined
  } catch (error) {
    if (!(error instanceof ControlPlaneError) || error.code !== 'CONTROL_PLANE_MISSING') throw error
    // the tests find out in the same way, without a network
    process.env['SEATRIAL_DOWNLOAD'] = 'off'
    return error.message
  }
}
