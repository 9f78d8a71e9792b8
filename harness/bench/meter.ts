/** What a piece of work cost: wall and CPU time of this process, and the most memory it ever held. */
export interface Cost {
  readonly wallS: number
  readonly cpuS: number
  readonly peakRssMiB: number
}

/** Starts measuring; the function returned says what it has cost so far. */
export function meter(): () => Cost {
  const begun = process.hrtime.bigint()
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return {
      wallS: Number(process.hrtime.bigint() - begun) / 1e9,
      cpuS: (user + system) / 1e6,
      peakRssMiB: process.resourceUsage().maxRSS / 1024,
    }
  }
}

/**
 * Does the same work three times and prints its figures and the first run's cost as one line of JSON, with `warmCpuS`, the CPU time of the
 * third: a trial of a `verify` with five seeds finds its code compiled, the first does not.
 */
export async function printCosts(work: () => Promise<Readonly<Record<string, number>>>): Promise<void> {
  const cost = meter()
  const figures = await work()
  const first = cost()
  await work()
  const again = meter()
  await work()
  console.log(JSON.stringify({ ...first, warmCpuS: again().cpuS, ...figures }))
}
