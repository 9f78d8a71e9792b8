import { writeFileSync } from 'node:fs'
import { updateConsoles } from './consoles.ts'
import { differs, type Output, ROOT } from './outputs.ts'
import { registries } from './registries.ts'

/**
 * `npm run update` writes what follows from other files: the indexes of scenarios, faults, checks, remedies, GPUs and models, the words
 * of scenarios, the catalogue, the JSON Schemas of seatrial.yaml and of findings, the page of parity, and the output under the commands that the documents show. `npm run verify` (`--verify`) writes nothing and
 * fails when one of them differs.
 */
const verifying = process.argv.includes('--verify')
const lists = settle(registries())
// the catalogue reads scenarios through the indexes: when they are stale it cannot be judged
const rest =
  verifying && lists.length > 0
    ? []
    : settle([
        (await import('./catalog.ts')).catalog(),
        (await import('./config-schema.ts')).configSchemaFile(),
        (await import('./finding-schema.ts')).findingSchemaFile(),
        (await import('./parity-page.ts')).parityPage(),
      ])
const consoles = verifying ? [] : await updateConsoles()
const changed = [...lists, ...rest, ...consoles]

for (const path of changed) console.log(verifying ? `${path} is not what \`npm run update\` writes` : `wrote ${path}`)
if (verifying && changed.length > 0) process.exitCode = 1
if (changed.length === 0) console.log('all generated files are up to date')

/** The outputs that differ from what is there, which they replace unless verifying. */
function settle(outputs: readonly Output[]): string[] {
  const changed = outputs.filter(differs)
  if (!verifying) for (const { path, text } of changed) writeFileSync(new URL(path, ROOT), text)
  return changed.map(({ path }) => path)
}
