import { expect, it, vi } from 'vitest'
import { jsonReporter } from './json.ts'

it('the time a verification took is a whole number of milliseconds', () => {
  const written: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  jsonReporter().end({ passed: 1, failed: 0, invalid: 0, skipped: 0, unstable: 0, waived: 0, tookMs: 1234.5678 })
  write.mockRestore()
  expect(JSON.parse(written.join(''))).toMatchObject({ schemaVersion: 1, totals: { passed: 1, tookMs: 1235 } })
})
