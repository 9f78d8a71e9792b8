import { arch, cpus } from 'node:os'
import { defaultProfile, type LagProfile, type Quantiles } from '../../../sandbox/kube/lag.ts'
import { KUBERNETES_VERSION } from '../../../sandbox/tiers/control-plane/binaries.ts'
import { median, PROBABILITIES } from './quantiles.ts'
import type { ScaleUp } from './scale.ts'

export interface Measured {
  /** Milliseconds at PROBABILITIES. */
  watchDelay: readonly number[]
  read: readonly number[]
  write: readonly number[]
  samples: { watchDelay: number; read: number; write: number; dropped: number }
  rounds: number
  load: number
  scaled: Record<'default' | 'raised', readonly ScaleUp[]>
}

/** The measured delays with upstream's client limits, as a profile that simulations take. */
export const profileOf = ({ watchDelay, read, write }: Measured, name: string): LagProfile => ({
  ...defaultProfile,
  name,
  watchDelay: tableOf(watchDelay),
  requestLatency: { read: tableOf(read), write: tableOf(write) },
})

/** How it was measured, in a sentence. */
export const howMeasured = ({ samples, rounds, load }: Measured): string =>
  `Kubernetes ${KUBERNETES_VERSION} with one etcd (fsync on) on ${cpus().length} × ${arch()} cores over loopback; ${samples.watchDelay} watch delays, ${samples.read} reads, ${samples.write} writes in ${rounds} rounds beside ${load} writes/s`

/** The tables as a TypeScript file, with how they were got: sandbox/kube/profiles/measured.ts. */
export function sourceText({ watchDelay, read, write, samples, rounds, load, scaled }: Measured): string {
  const seconds = (runs: readonly ScaleUp[], field: 'created' | 'bound') =>
    runs.map((run) => run[field].toFixed(1)).join(', ')
  const endpoint = (runs: readonly ScaleUp[]) => median(runs.flatMap((run) => run.endpointMs)).toFixed(1)
  return `import type { Quantiles } from '../lag.ts'

// Written by \`seatrial parity --fit-lag --write sandbox/kube/profiles/measured.ts\` (harness/bench/lag/measured-profile.ts); change it there.

/**
 * A real control plane, measured: kube-apiserver, kube-controller-manager and kube-scheduler ${KUBERNETES_VERSION} with one etcd (fsync on),
 * all on one machine (${cpus().length} × ${arch()} cores, shared with other programs) over loopback TLS; client and informers in Node ${process.versions.node.split('.')[0]}.
 * Four writers made, read, changed and deleted pods beside a load of ${load} writes/s from another process.
 *
 * | | samples | from → to |
 * |---|---|---|
 * | watchDelay | ${samples.watchDelay} | the middle of a write's request → the handler of another client's informer |
 * | read | ${samples.read} | GET of a pod: sent → answer parsed |
 * | write | ${samples.write} | POST, PUT, PATCH status, DELETE of a pod in equal parts: sent → answer parsed |
 *
 * Each quantile is the median of ${rounds} rounds. ${samples.dropped} samples during which the measuring process itself stood still for 6 ms or more are left
 * out, and tables end at the 99.9th percentile: longer delays were this machine's and would be random elsewhere. A commit is not
 * visible from outside; the simulator commits in the middle of a request, so delays are counted from there.
 *
 * Scaling a ReplicaSet from 0 to 200 took, in seconds: all created ${seconds(scaled.default, 'created')}, all bound ${seconds(scaled.default, 'bound')} with upstream's default
 * client limits; ${seconds(scaled.raised, 'created')} and ${seconds(scaled.raised, 'bound')} with 1000/2000, where the processors were the limit. A pod's Ready
 * was in an informer's EndpointSlice after ${endpoint(scaled.default)} ms (median of ${scaled.default.flatMap((run) => run.endpointMs).length}).
 */
export const measured: {
  readonly watchDelay: Quantiles
  readonly requestLatency: { readonly read: Quantiles; readonly write: Quantiles }
} = {
  watchDelay: ${JSON.stringify(tableOf(watchDelay))},
  requestLatency: { read: ${JSON.stringify(tableOf(read))}, write: ${JSON.stringify(tableOf(write))} },
}
`
}

/** Pairs of probability and whole microseconds; delays below zero (the handler came before the middle) count as none. */
const tableOf = (millis: readonly number[]): Quantiles =>
  millis.map((value, i) => {
    const probability = i === millis.length - 1 ? 1 : PROBABILITIES[i]!
    return [probability, Math.max(0, Math.round(value * 1000))] as const
  })
