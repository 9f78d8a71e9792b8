/**
 * Adds up vitest's JSON reports: `sum.mjs FOLDER SUITE…` prints `N passed, N failed, N skipped`. A suite without a report counts as one
 * failure, so that a crash cannot look like success. Exits 1 when anything failed, or nothing passed.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder, ...suites] = process.argv.slice(2)
const sum = { passed: 0, failed: 0, skipped: 0 }

for (const suite of suites) {
  try {
    const report = JSON.parse(readFileSync(join(folder, `${suite}.json`), 'utf8'))
    sum.passed += report.numPassedTests
    sum.failed += report.numFailedTests
    sum.skipped += report.numPendingTests + report.numTodoTests
    // a file that does not load has no tests to fail
    sum.failed += report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  } catch {
    console.error(`${suite}: no report`)
    sum.failed++
  }
}

console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
process.exit(sum.failed > 0 || sum.passed === 0 ? 1 : 0)
