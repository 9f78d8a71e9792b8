import { addQuantities, compareQuantities, formatQuantity, parseQuantity, type Quantity } from '../../kube/quantity.ts'

/** Amounts by resource name. Follows k8s.io/apiserver/pkg/quota/v1/resources.go. */
export type Amounts = ReadonlyMap<string, Quantity>

export const ZERO: Quantity = parseQuantity('0')
export const ONE: Quantity = parseQuantity('1')

/** Throws a QuantityError. */
export const amountsOf = (list: Readonly<Record<string, string>> | undefined): Amounts =>
  new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]))

/** As objects hold them, in the order of names. */
export const listOf = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries([...amounts].sort(byName).map(([name, amount]) => [name, formatQuantity(amount)]))

/** `cpu=1,memory=2Gi`, in the order of names. */
export const shownAmounts = (amounts: Amounts): string =>
  [...amounts]
    .sort(byName)
    .map(([name, amount]) => `${name}=${formatQuantity(amount)}`)
    .join(',')

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

export function plus(a: Amounts, b: Amounts): Amounts {
  const sum = new Map(a)
  accumulate(sum, b)
  return sum
}

/** Adds in place. */
export function accumulate(sum: Map<string, Quantity>, added: Amounts): void {
  for (const [name, amount] of added) {
    const known = sum.get(name)
    sum.set(name, known ? addQuantities(known, amount) : amount)
  }
}

/** What `a` is more than `b`; 0 where it is not. */
export function excess(a: Amounts, b: Amounts): Amounts {
  const out = new Map<string, Quantity>()
  for (const [name, amount] of a) {
    const nanos = amount.nanos - (b.get(name)?.nanos ?? 0n)
    out.set(name, nanos > 0n ? { nanos, format: amount.format } : ZERO)
  }
  return out
}

export const only = (amounts: Amounts, names: { has(name: string): boolean }): Amounts =>
  new Map([...amounts].filter(([name]) => names.has(name)))

export const withoutZeros = (amounts: Amounts): Amounts => new Map([...amounts].filter(([, { nanos }]) => nanos !== 0n))

/** Names of what is more in `a` than in `b`, where both have it. */
export const exceeding = (a: Amounts, b: Amounts): Set<string> =>
  new Set(
    [...a].flatMap(([name, amount]) => (b.has(name) && compareQuantities(amount, b.get(name)!) > 0 ? [name] : [])),
  )

export const sameAmounts = (a: Amounts, b: Amounts): boolean =>
  a.size === b.size && [...a].every(([name, { nanos }]) => b.get(name)?.nanos === nanos)
