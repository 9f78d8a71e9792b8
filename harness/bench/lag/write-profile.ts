import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { arch, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
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

/** Writes the measured tables as a TypeScript file, formatted, with how they were got. */
export function writeProfile(measured: Measured): void {
  const file = fileURLToPath(new URL('../../../sandbox/kube/profiles/measured.ts', import.meta.url))
  writeFileSync(file, textOf(measured))
  execFileSync(fileURLToPath(new URL('../../../node_modules/.bin/biome', import.meta.url)), ['format', '--write', file])
}

function textOf({ watchDelay, read, write, samples, rounds, load, scaled }: Measured): string {
  const seconds = (runs: readonly ScaleUp[], field: 'created' | 'bound') =>
    runs.map((run) => run[field].toFixed(1)).join(', ')
  const endpoint = (runs: readonly ScaleUp[]) => median(runs.flatMap((run) => run.endpointMs)).toFixed(1)
  return `import type { Quantiles } from '../lag.ts'

// Written by \`npm run bench:lag -- --write\` (harness/bench/lag/measure.ts); change it there.

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
  watchDelay: ${tableOf(watchDelay)},
  requestLatency: { read: ${tableOf(read)}, write: ${tableOf(write)} },
}
`
}

/** Pairs of probability and whole microseconds; delays below zero (the handler came before the middle) count as none. */
function tableOf(millis: readonly number[]): string {
  const pairs = millis.map((value, i) => {
    const probability = i === millis.length - 1 ? 1 : PROBABILITIES[i]
    return `[${probability}, ${Math.max(0, Math.round(value * 1000))}]`
  })
  return `[${pairs.join(', ')}]`
}
