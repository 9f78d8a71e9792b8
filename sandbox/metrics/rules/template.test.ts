import { describe, expect, it } from 'vitest'
import { printf } from './humanize.ts'
import { expandTemplate } from './template.ts'

const expand = (text: string, value = 1234.5) =>
  expandTemplate(text, {
    labels: { pod: 'vllm-0', instance: '10.0.0.1:8000' },
    externalLabels: { cluster: 'c1' },
    externalUrl: 'http://prometheus',
    value,
    at: 0,
  })

describe('templates', () => {
  it.each([
    ['plain', 'plain'],
    ['{{ $labels.pod }}/{{.Labels.pod}}', 'vllm-0/vllm-0'],
    ['{{ $labels.missing }}|', '|'],
    ['{{ $value }} {{ .Value | humanize }}', '1234.5 1.234k'],
    ['{{ humanize 0.0123 }} {{ humanize1024 2048 }}', '12.3m 2ki'],
    ['{{ humanizeDuration 3725 }} {{ humanizeDuration 0.25 }} {{ humanizeDuration 12.3456 }}', '1h 2m 5s 250ms 12.35s'],
    ['{{ humanizePercentage 0.98765 }}', '98.77%'],
    ['{{ humanizeTimestamp 1767225600.5 }}', '2026-01-01 00:00:00.5 +0000 UTC'],
    ['{{ printf "%.2f of %s" $value $labels.pod }}', '1234.50 of vllm-0'],
    ['{{ $value | printf "%05.0f" }}', '01234'],
    ['{{ reReplaceAll "(.*):.*" "$1" $labels.instance }} {{ stripPort $labels.instance }}', '10.0.0.1 10.0.0.1'],
    ['{{ toUpper (print $labels.pod "-" $externalLabels.cluster) }}', 'VLLM-0-C1'],
    ['a {{- " b " -}} c {{/* nothing */}}', 'a b c '],
    ['{{ "}}" }}', '}}'],
    ['{{ index $labels "pod" }} {{ $labels }}', 'vllm-0 map[instance:10.0.0.1:8000 pod:vllm-0]'],
  ])('%s', (text, expected) => {
    expect(expand(text)).toBe(expected)
  })

  it('print numbers as Go does', () => {
    expect(
      [1e21, 1e20, 1e-5, 0.0001, 5, Number.NaN, Number.POSITIVE_INFINITY].map((value) => expand('{{ $value }}', value)),
    ).toEqual(['1e+21', '100000000000000000000', '1e-05', '0.0001', '5', 'NaN', '+Inf'])
    expect(printf('%6.2f|%-6s|%+d|%q|%e|%g|%%', [3.1372, 'ab', 'x', 'y', 1500, 1e30])).toBe(
      '  3.14|ab    |%!d(string=x)|"y"|1.500000e+03|1e+30|%',
    )
  })
})
