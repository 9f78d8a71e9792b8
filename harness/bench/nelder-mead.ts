/**
 * The simplex search of Nelder and Mead: minimises `loss` from `start` with first steps of `step`, for `evaluations`
 * calls. Deterministic.
 */
export function nelderMead(
  loss: (x: readonly number[]) => number,
  start: readonly number[],
  step: number,
  evaluations: number,
) {
  const point = (x: number[]) => ({ x, loss: loss(x) })
  const simplex = [point([...start]), ...start.map((_, i) => point(start.map((v, j) => (i === j ? v + step : v))))]
  let calls = simplex.length
  while (calls < evaluations) {
    simplex.sort((a, b) => a.loss - b.loss)
    const worst = simplex[simplex.length - 1]!
    const rest = simplex.slice(0, -1)
    const centre = start.map((_, i) => rest.reduce((sum, p) => sum + p.x[i]!, 0) / rest.length)
    const along = (t: number) => {
      calls++
      return point(centre.map((c, i) => c + t * (c - worst.x[i]!)))
    }
    const reflected = along(1)
    let next = reflected
    if (reflected.loss < simplex[0]!.loss) {
      const expanded = along(2)
      if (expanded.loss < reflected.loss) next = expanded
    } else if (reflected.loss >= rest[rest.length - 1]!.loss) next = along(-0.5)
    if (next.loss < worst.loss) simplex[simplex.length - 1] = next
    else {
      const best = simplex[0]!
      for (let i = 1; i < simplex.length; i++) simplex[i] = point(simplex[i]!.x.map((v, j) => (v + best.x[j]!) / 2))
      calls += simplex.length - 1
    }
  }
  return simplex.sort((a, b) => a.loss - b.loss)[0]!
}
