import { whyUnavailable } from '../control-plane/binaries.ts'
import { leverNames } from '../parts/levers.ts'
import { partsPlan, schedulersText } from '../parts/start-parts.ts'
import { TRIAL_BEGINS } from '../parts/trial-begins.ts'
import type { SandboxOptions, Tier } from '../tier.ts'
import { localCapabilities } from './capabilities.ts'
import { LocalSandbox } from './local-sandbox.ts'
import { namespacesFor } from './preparations.ts'

/** The real control plane decides over simulated nodes, GPUs and servers, in wall time. Needs its programs, or Go to build them. */
export const local: Tier = {
  name: 'local',
  capabilities: localCapabilities,
  levers: leverNames,
  async available() {
    const what = await whyUnavailable()
    if (!what) return []
    return [{ what, fix: 'install Go 1.26 or newer, or point KUBEBUILDER_ASSETS at a folder with the programs' }]
  },
  plan: (options) => [
    `etcd, kube-apiserver, kube-controller-manager and a real ${schedulersText(options.schedulers)}, on 127.0.0.1, in wall time`,
    ...partsPlan(options),
    ...adaptations(options),
  ],
  async up(options) {
    const sandbox = await LocalSandbox.up(options)
    try {
      await sandbox.runUntil(TRIAL_BEGINS)
      return sandbox
    } catch (error) {
      await sandbox.close()
      throw error
    }
  },
}

/** What is made besides what the manifests say. */
function adaptations({ objects = [], schedulers = [] }: SandboxOptions): string[] {
  return [
    ...namespacesFor(objects).map((name) => `namespace ${name}`),
    ...(schedulers.length > 1 ? ['the schedulers as profiles of one'] : []),
    'definitions of the custom resources that have actors here, with any field; those among the manifests as they are',
  ]
}
