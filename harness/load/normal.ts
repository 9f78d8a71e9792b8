import type { RandomStream } from '../../sandbox/world/random.ts'

/** Draws standard normal numbers, two for each pair of uniform ones (Box and Muller). */
export function normalSampler(random: RandomStream): () => number {
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()))
    const angle = 2 * Math.PI * random.next()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}
