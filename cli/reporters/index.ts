import type { Reporter } from './reporter.ts'

/** The formats `verify` writes. */
export const formats = ['terminal', 'json', 'junit', 'github'] as const
export type Format = (typeof formats)[number]

/** Only the one that is asked for is loaded. */
export async function reporterFor(format: Format, options: { quiet: boolean }): Promise<Reporter> {
  switch (format) {
    case 'terminal':
      return (await import('./terminal.ts')).terminalReporter(options)
    case 'json':
      return (await import('./json.ts')).jsonReporter()
    case 'junit':
      return (await import('./junit.ts')).junitReporter()
    case 'github':
      return (await import('./github.ts')).githubReporter()
  }
}
