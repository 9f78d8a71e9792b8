/** Names told at most. */
const NAMES_MAX = 6

/** Each name once: the first few, and how many more there are. */
export function shortList(given: readonly string[]): string {
  const names = [...new Set(given)]
  const left = names.length - NAMES_MAX
  return left > 1 ? `${names.slice(0, NAMES_MAX).join(', ')} and ${left} more` : names.join(', ')
}
