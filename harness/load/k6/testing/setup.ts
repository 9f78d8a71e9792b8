import { ensureK6, whyNoK6 } from '../binary/find.ts'

/** Vitest's global setup of `*.load.test.ts`: builds k6 once, before tests that would each wait for it, or says why there is none. */
export async function setup(): Promise<void> {
  const why = await whyNoK6('ours')
  if (why) console.warn(`skipped: ${why}`)
  else await ensureK6('ours')
}
