/** 32 bits that depend on both, evenly. */
export function mix(x: number, y: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x7feb352d) + Math.imul(y ^ (y >>> 15), 0x846ca68b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** Of a text. */
export function mixText(seed: number, text: string): number {
  let h = seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix(h, text.length)
}

/** Of a float, all its bits. */
export function mixFloat(seed: number, value: number): number {
  FLOAT[0] = value
  return mix(mix(seed, WORDS[0]!), WORDS[1]!)
}

const FLOAT = new Float64Array(1)
const WORDS = new Int32Array(FLOAT.buffer)

/** In [0, 1): what a hash comes to as a share. */
export const share = (hash: number): number => (hash >>> 0) / 0x1_0000_0000

/** In [0, n). */
export const pick = (hash: number, n: number): number => Math.floor(share(hash) * n)
