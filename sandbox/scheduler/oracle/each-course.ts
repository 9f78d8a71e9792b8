import type { RandomStream } from '../../world/random.ts'

/** More courses than that are not followed. */
const COURSES_MAX = 2_000

/**
 * One stream of chance for every course that chance can take: whoever draws integers from each in turn meets all combinations.
 * A stream must be used up before the next is asked for.
 */
export function* eachCourse(): Generator<RandomStream> {
  let path: { at: number; of: number }[] = []
  for (let course = 0; course < COURSES_MAX; course++) {
    let depth = 0
    const int = (of: number): number => {
      path[depth] ??= { at: 0, of }
      return path[depth++]!.at
    }
    yield { int } as RandomStream
    while (path.length > 0 && path.at(-1)!.at + 1 === path.at(-1)!.of) path.pop()
    if (path.length === 0) return
    path = [...path.slice(0, -1), { ...path.at(-1)!, at: path.at(-1)!.at + 1 }]
  }
}
