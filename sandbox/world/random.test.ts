import { describe, expect, it } from 'vitest'
import { randomStream } from './random.ts'

const draw = (seed: number, name: string) =>
  Array.from({ length: 1000 }, () => 0).map(
    (
      (s) => () =>
        s.next()
    )(randomStream(seed, name)),
  )

describe('random streams', () => {
  it('give the same numbers for the same seed and name, and others for another', () => {
    expect(draw(1, 'kubelet/a')).toEqual(draw(1, 'kubelet/a'))
    expect(draw(1, 'kubelet/a')).not.toEqual(draw(1, 'kubelet/b'))
    expect(draw(1, 'kubelet/a')).not.toEqual(draw(2, 'kubelet/a'))
  })

  it('are uniform, also at the first draw over many seeds', () => {
    const firsts = Array.from({ length: 4000 }, (_, seed) => randomStream(seed, 'x').next())
    const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length
    expect(Math.abs(mean(firsts) - 0.5)).toBeLessThan(0.02)
    expect(Math.abs(mean(draw(7, 'y')) - 0.5)).toBeLessThan(0.04)
    const corners = firsts.filter((x) => x < 0.1).length / firsts.length
    expect(Math.abs(corners - 0.1)).toBeLessThan(0.02)
  })

  it('draw exponential and normal values of the asked mean', () => {
    const stream = randomStream(3, 'z')
    const exponential = Array.from({ length: 20_000 }, () => stream.exponential(5))
    const normal = Array.from({ length: 20_000 }, () => stream.normal(10, 2))
    const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length
    expect(Math.abs(mean(exponential) - 5)).toBeLessThan(0.15)
    expect(Math.abs(mean(normal) - 10)).toBeLessThan(0.1)
  })

  it('draw suffixes from the letters Kubernetes uses', () => {
    expect(randomStream(1, 's').suffix(200)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{200}$/)
  })
})
