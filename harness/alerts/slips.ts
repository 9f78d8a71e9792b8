import { suggest } from '../platform/suggest.ts'

/**
 * The name that was most likely meant by one that nothing here has; undefined where it may well be a metric of something else. Names of vLLM
 * are all known, so anything like one of them is a slip of it; of exporters only a part is known, so only a letter too
 * many, too few or swapped is.
 */
export function meantBy(name: string, known: ReadonlySet<string>): string | undefined {
  if (!OWNED.test(name)) return undefined
  const renamed = name.replace(/^kube_hpa_/, 'kube_horizontalpodautoscaler_')
  if (renamed !== name && known.has(renamed)) return renamed
  const plain = plainOf(name)
  const same = [...known].find((one) => plainOf(one) === plain)
  if (same) return same
  if (!/^vllm[:_]/.test(name)) return [...known].find((one) => one.length >= LENGTH_MIN && isLetterOff(name, one))
  const near = suggest(
    name,
    [...known].filter((one) => one.startsWith('vllm:')),
  )
  return near !== undefined && isNear(name, near) ? near : undefined
}

/** Names of what is simulated, and of recording rules; applications call theirs as they like. */
const OWNED = /^(vllm|kube|container|DCGM)_|:/

/** Short names are like many others. */
const LENGTH_MIN = 10

/** Without what conventions add or change: case, `:` for `_`, units and endings. */
const plainOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(':', '_')
    .replace(/(_(total|count|sum|bucket|perc|percent|seconds))+$/, '')

/** Most of it is the same: routers and caches in front of vLLM have names of their own that begin as vLLM's do. */
const isNear = (name: string, near: string): boolean => {
  const words = (text: string) => text.slice(5).split('_')
  const shared = words(name).filter((word) => words(near).some((one) => one === word || isLetterOff(word, one)))
  return shared.length >= Math.max(words(name).length, words(near).length) - 1
}

/** One letter too many, too few, or two swapped. */
function isLetterOff(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false
  let i = 0
  while (i < a.length && i < b.length && a[i] === b[i]) i++
  const [restA, restB] = [a.slice(i), b.slice(i)]
  if (restA.slice(1) === restB || restA === restB.slice(1)) return true
  return restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2)
}
