import type { Thresholds } from '../thresholds.ts'

/**
 * A k6 script that is the user's with thresholds added. Everything it exports is theirs, its relative files too; thresholds of theirs stay.
 * Not by `k6 run --config`: a script's own options beat that file. `script` is a `file:` URL.
 */
export function wrapperOf(script: string, thresholds: Thresholds): string {
  const path = JSON.stringify(script)
  return `import * as theirs from ${path}
export * from ${path}
const mine = ${JSON.stringify(thresholds)}
const thresholds = { ...(theirs.options ?? {}).thresholds }
for (const [metric, expressions] of Object.entries(mine))
  thresholds[metric] = [].concat(thresholds[metric] ?? [], expressions)
const stats = (theirs.options ?? {}).summaryTrendStats ?? ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)']
const summaryTrendStats = [...new Set([...stats, 'p(99)'])]
// what is exported here goes before what is exported by a star
export const options = { ...theirs.options, thresholds, summaryTrendStats };
// scripts whose scenarios name their functions have no default
const main = theirs['default'];
export { main as default };
`
}

/** Whether a script, or what it imports, uses `k6/x/sse`; as far as its own text tells. */
export const usesSse = (source: string): boolean => /['"]k6\/x\/sse['"]/.test(source)
