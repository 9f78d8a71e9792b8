import type { Quantiles } from '../lag.ts'

// Written by `seatrial parity --fit-lag --write sandbox/kube/profiles/measured.ts` (harness/bench/lag/measured-profile.ts); change it there.

/**
 * A real control plane, measured: kube-apiserver, kube-controller-manager and kube-scheduler 1.36.3 with one etcd (fsync on),
 * all on one machine (2 × x64 cores, shared with other programs) over loopback TLS; client and informers in Node 24.
 * Four writers made, read, changed and deleted pods beside a load of 50 writes/s from another process.
 *
 * | | samples | from → to |
 * |---|---|---|
 * | watchDelay | 1214 | the middle of a write's request → the handler of another client's informer |
 * | read | 421 | GET of a pod: sent → answer parsed |
 * | write | 1623 | POST, PUT, PATCH status, DELETE of a pod in equal parts: sent → answer parsed |
 *
 * Each quantile is the median of 3 rounds. 181 samples during which the measuring process itself stood still for 6 ms or more are left
 * out, and tables end at the 99.9th percentile: longer delays were this machine's and would be random elsewhere. A commit is not
 * visible from outside; the simulator commits in the middle of a request, so delays are counted from there.
 *
 * Scaling a ReplicaSet from 0 to 200 took, in seconds: all created 8.9, 8.9, 9.1, all bound 8.9, 8.9, 9.1 with upstream's default
 * client limits; 0.9, 0.8, 0.9 and 1.1, 0.8, 1.2 with 1000/2000, where the processors were the limit. A pod's Ready
 * was in an informer's EndpointSlice after 17.4 ms (median of 120).
 */
export const measured: {
  readonly watchDelay: Quantiles
  readonly requestLatency: { readonly read: Quantiles; readonly write: Quantiles }
} = {
  watchDelay: [
    [0, 0],
    [0.05, 1789],
    [0.25, 2542],
    [0.5, 3172],
    [0.75, 4153],
    [0.9, 5536],
    [0.95, 6383],
    [0.99, 12058],
    [1, 19776],
  ],
  requestLatency: {
    read: [
      [0, 1589],
      [0.05, 2187],
      [0.25, 2703],
      [0.5, 3264],
      [0.75, 4226],
      [0.9, 6694],
      [0.95, 8139],
      [0.99, 16082],
      [1, 31796],
    ],
    write: [
      [0, 3339],
      [0.05, 4471],
      [0.25, 5820],
      [0.5, 6898],
      [0.75, 8590],
      [0.9, 11545],
      [0.95, 13889],
      [0.99, 23198],
      [1, 59681],
    ],
  },
}
