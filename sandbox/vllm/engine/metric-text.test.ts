import { describe, expect, it } from 'vitest'
import { formatFloat, renderFamilies } from './metric-text.ts'

describe('the text exposition', () => {
  it('prints floats as the Python client does', () => {
    const printed: readonly (readonly [number, string])[] = [
      [0, '0.0'],
      [1, '1.0'],
      [0.025, '0.025'],
      [20, '20.0'],
      [0.0036818959993070166, '0.0036818959993070166'],
      [1e-5, '1e-05'],
      [4873543680, '4.87354368e+09'],
      [1_000_000, '1e+06'],
      [1_234_567.5, '1.2345675e+06'],
      [999_999, '999999.0'],
      [1.5e17, '1.5e+17'],
      [-3, '-3.0'],
      [Number.POSITIVE_INFINITY, '+Inf'],
      [Number.NEGATIVE_INFINITY, '-Inf'],
      [Number.NaN, 'NaN'],
    ]
    expect(printed.map(([value]) => formatFloat(value))).toEqual(printed.map(([, text]) => text))
  })

  it('has no braces where there are no labels, and a family without samples', () => {
    const text = renderFamilies([
      { name: 'up', help: 'Is it.', type: 'gauge', samples: [{ name: 'up', labels: [], value: 1 }] },
      { name: 'none_total', help: 'No\\thing\nyet.', type: 'counter', samples: [] },
    ])
    expect(text).toBe(
      '# HELP up Is it.\n# TYPE up gauge\nup 1.0\n# HELP none_total No\\\\thing\\nyet.\n# TYPE none_total counter\n',
    )
  })

  it('escapes what stands between quotes', () => {
    const labels = [['path', 'C:\\ "x"\n']] as const
    const text = renderFamilies([{ name: 'a', help: '', type: 'gauge', samples: [{ name: 'a', labels, value: 2 }] }])
    expect(text.split('\n')[2]).toBe('a{path="C:\\\\ \\"x\\"\\n"} 2.0')
  })
})
