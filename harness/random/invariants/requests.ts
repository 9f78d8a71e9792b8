import type { Container, Pod } from '../../../sandbox/kube/objects.ts'
import { parseQuantity } from '../../../sandbox/kube/quantity.ts'

/** Amounts by resource name, in plain units: cores, bytes, GPUs. */
export type Amounts = Readonly<Record<string, number>>

const NANO = 1e9

export const amountOf = (quantity: string): number => Number(parseQuantity(quantity).nanos) / NANO

export const amountsOf = (quantities: Readonly<Record<string, string>> = {}): Amounts =>
  Object.fromEntries(Object.entries(quantities).map(([name, quantity]) => [name, amountOf(quantity)]))

/** What a pod asks for: its containers and sidecars together, or more where an init container needs more beside the sidecars before it. */
export function requestsOf({ spec }: Pod): Amounts {
  let sum = spec.containers.reduce((all, container) => plus(all, asked(container)), {} as Amounts)
  let sidecars: Amounts = {}
  let most: Amounts = {}
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      sum = plus(sum, asked(container))
      sidecars = plus(sidecars, asked(container))
      most = larger(most, sidecars)
    } else most = larger(most, plus(sidecars, asked(container)))
  }
  return larger(sum, most)
}

const asked = ({ resources }: Container): Amounts => ({
  ...amountsOf(resources?.limits as Record<string, string> | undefined),
  ...amountsOf(resources?.requests as Record<string, string> | undefined),
})

export const plus = (a: Amounts, b: Amounts): Amounts => combine(a, b, (x, y) => x + y)
export const larger = (a: Amounts, b: Amounts): Amounts => combine(a, b, Math.max)

function combine(a: Amounts, b: Amounts, how: (x: number, y: number) => number): Amounts {
  const out: Record<string, number> = { ...a }
  for (const [name, amount] of Object.entries(b)) out[name] = how(out[name] ?? 0, amount)
  return out
}
