import { expect, it } from 'vitest'
import { readVersion } from './version.ts'

it('reads a plain k6', () => {
  expect(readVersion('k6 v1.2.3 (go1.24.5, linux/amd64)\n')).toEqual({ version: 'v1.2.3', sse: 'none' })
  expect(readVersion('k6.exe v0.57.0 (commit/abcdef, go1.23, windows/amd64)\n')).toEqual({
    version: 'v0.57.0',
    sse: 'none',
  })
})

it('tells our extension from another of its name', () => {
  const with_ = (line: string) => `k6 v1.8.1 (go1.26.8, linux/amd64)\nExtensions:\n  ${line}\n\n`
  expect(readVersion(with_('seatrial.invalid/k6/sse , k6/x/sse [js]'))?.sse).toBe('ours')
  expect(readVersion(with_('github.com/phymbert/xk6-sse v0.1.11, k6/x/sse [js]'))?.sse).toBe('other')
  expect(readVersion(with_('github.com/grafana/xk6-faker v0.4.0, k6/x/faker [js]'))?.sse).toBe('none')
})

it('is no k6 when it says nothing of the kind', () => {
  expect(readVersion('')).toBeUndefined()
  expect(readVersion('Kubernetes v1.36.3')).toBeUndefined()
})
