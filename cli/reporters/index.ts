import type { Reporter } from './reporter.ts'
import { guarded } from './shown.ts'

/** The formats `verify` writes. */
export const formats = ['terminal', 'json', 'junit', 'github'] as const
export type Format = (typeof formats)[number]

/** Only the one that is asked for is loaded. What people read is guarded; what programs read is whole. */
export async function reporterFor(format: Format, options: { quiet: boolean }): Promise<Reporter> {
  switch (format) {
    case 'terminal':
      return guarded((await import('./terminal.ts')).terminalReporter(options))
    case 'json':
      return (await import('./json.ts')).jsonReporter()
    case 'junit':
      return guarded((await import('./junit.ts')).junitReporter(), '\n')
    case 'github':
      return guarded((await import('./github.ts')).githubReporter(), '\n')
  }
}
