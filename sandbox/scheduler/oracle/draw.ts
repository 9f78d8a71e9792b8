import { type RandomStream, randomStream } from '../../world/random.ts'

/** Chance, as generators of random cases ask for it. */
export class Draw {
  private readonly random: RandomStream

  constructor(seed: number, name: string) {
    this.random = randomStream(seed, name)
  }

  chance(share: number): boolean {
    return this.random.next() < share
  }

  /** An integer from `low` to `high`, both included. */
  from(low: number, high: number): number {
    return low + this.random.int(high - low + 1)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.int(items.length)]!
  }

  /** `count` things. */
  list<T>(count: number, make: (i: number) => T): T[] {
    return Array.from({ length: count }, (_, i) => make(i))
  }

  /** The parts that chance keeps, each with its share: for objects whose fields may be absent. */
  parts(parts: Readonly<Record<string, readonly [share: number, make: () => unknown]>>): Record<string, unknown> {
    const kept: Record<string, unknown> = {}
    for (const [name, [share, make]] of Object.entries(parts)) if (this.chance(share)) kept[name] = make()
    return kept
  }
}
