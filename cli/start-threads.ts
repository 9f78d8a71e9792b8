import { availableParallelism } from 'node:os'
import { Threads } from '../harness/pool/threads.ts'
import type { VerifyOptions } from './commands/verify.ts'
import { positiveInteger } from './positive-integer.ts'

/** Runs `use` with threads that load what a trial needs while this one loads too, and ends them after it. */
export async function withThreads<T>(options: VerifyOptions, use: (threads: Threads) => Promise<T>): Promise<T> {
  await using threads = new Threads()
  const jobs = jobsOf(options)
  const atLeast = seedsOf(options) * (options.only?.length ?? jobs)
  threads.startAhead(Math.min(jobs, atLeast) - 1)
  return await use(threads)
}

/** How many trials run side by side: one of them in this thread. */
export const jobsOf = ({ jobs }: Pick<VerifyOptions, 'jobs'>): number =>
  jobs === undefined ? availableParallelism() : positiveInteger(jobs, '--jobs')

/** How many seeds each trial is run with. */
export const seedsOf = ({ seeds, tier }: Pick<VerifyOptions, 'seeds' | 'tier'>): number =>
  seeds === undefined ? (tier === 'sim' ? 5 : 1) : positiveInteger(seeds, '--seeds')
