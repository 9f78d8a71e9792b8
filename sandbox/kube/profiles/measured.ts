import type { Quantiles } from '../lag.ts'

export const measured: {
  readonly watchDelay: Quantiles
  readonly requestLatency: { readonly read: Quantiles; readonly write: Quantiles }
} = {
  watchDelay: [
    [0, 500],
    [0.5, 2000],
    [0.99, 20000],
    [1, 50000],
  ],
  requestLatency: {
    read: [
      [0, 800],
      [0.5, 2000],
      [0.99, 15000],
      [1, 40000],
    ],
    write: [
      [0, 1500],
      [0.5, 4000],
      [0.99, 25000],
      [1, 60000],
    ],
  },
}
