import { ensureBinaries, whyUnavailable } from './binaries.ts'

/** Vitest's global setup of `*.local.test.ts`: builds what is missing once, before tests that would each try, or says why not. */
export async function setup(): Promise<void> {
  const why = await whyUnavailable()
  if (why) console.warn(`skipped: ${why}`)
  else await ensureBinaries(['etcd', 'kube-apiserver', 'kube-scheduler', 'kube-controller-manager'])
}
