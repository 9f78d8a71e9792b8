import { describe, expect, it } from 'vitest'
import type { MetricFamily, Sample } from '../../../metrics/sample.ts'
import { renderFamilies } from '../../engine/metric-text.ts'
import { chooseFormat, type Escaping } from './negotiate.ts'
import { renderOpenMetrics, renderText, restricted } from './open-metrics.ts'

const TIME = 1767225602.5
const of = (name: string, value: number, labels: Readonly<Record<string, string>>): Sample => {
  return { name, value, labels: Object.entries(labels) }
}
const tokens = (end: string, ...values: readonly number[]) =>
  values.map((value, i) => of(`vllm:prompt_tokens_${end}`, value, { engine: String(i), model_name: 'm' }))

const FAMILIES: readonly MetricFamily[] = [
  { name: 'vllm:prompt_tokens_total', help: 'Number of "tokens".', type: 'counter', samples: tokens('total', 5, 6) },
  {
    name: 'vllm:prompt_tokens_created',
    help: 'Number of "tokens".',
    type: 'gauge',
    samples: tokens('created', TIME, TIME),
  },
  { name: 'vllm:running', help: 'Now.', type: 'gauge', samples: [of('vllm:running', 2, { model_name: 'm' })] },
  {
    name: 'h_seconds',
    help: 'H.',
    type: 'histogram',
    samples: [
      of('h_seconds_bucket', 0, { le: '0.1', x: 'a' }),
      of('h_seconds_bucket', 1, { le: '+Inf', x: 'a' }),
      of('h_seconds_count', 1, { x: 'a' }),
      of('h_seconds_sum', 0.5, { x: 'a' }),
    ],
  },
  { name: 'h_seconds_created', help: 'H.', type: 'gauge', samples: [of('h_seconds_created', TIME, { x: 'a' })] },
]

/** What the Python client prints of the same. */
const EXPECTED: Readonly<Record<Escaping, string>> = {
  'allow-utf-8': `# HELP vllm:prompt_tokens Number of \\"tokens\\".
# TYPE vllm:prompt_tokens counter
vllm:prompt_tokens_total{engine="0",model_name="m"} 5.0
vllm:prompt_tokens_created{engine="0",model_name="m"} 1.7672256025e+09
vllm:prompt_tokens_total{engine="1",model_name="m"} 6.0
vllm:prompt_tokens_created{engine="1",model_name="m"} 1.7672256025e+09
# HELP vllm:running Now.
# TYPE vllm:running gauge
vllm:running{model_name="m"} 2.0
# HELP h_seconds H.
# TYPE h_seconds histogram
h_seconds_bucket{le="0.1",x="a"} 0.0
h_seconds_bucket{le="+Inf",x="a"} 1.0
h_seconds_count{x="a"} 1.0
h_seconds_sum{x="a"} 0.5
h_seconds_created{x="a"} 1.7672256025e+09
# EOF
`,
  underscores: `# HELP vllm:prompt_tokens Number of \\"tokens\\".
# TYPE vllm:prompt_tokens counter
vllm_prompt_tokens_total{engine="0",model_name="m"} 5.0
vllm_prompt_tokens_created{engine="0",model_name="m"} 1.7672256025e+09
vllm_prompt_tokens_total{engine="1",model_name="m"} 6.0
vllm_prompt_tokens_created{engine="1",model_name="m"} 1.7672256025e+09
# HELP vllm:running Now.
# TYPE vllm:running gauge
vllm_running{model_name="m"} 2.0
# HELP h_seconds H.
# TYPE h_seconds histogram
h_seconds_bucket{le="0.1",x="a"} 0.0
h_seconds_bucket{le="+Inf",x="a"} 1.0
h_seconds_count{x="a"} 1.0
h_seconds_sum{x="a"} 0.5
h_seconds_created{x="a"} 1.7672256025e+09
# EOF
`,
  dots: `# HELP vllm:prompt__tokens Number of \\"tokens\\".
# TYPE vllm:prompt__tokens counter
vllm__prompt__tokens__total{engine="0",model__name="m"} 5.0
vllm__prompt__tokens__created{engine="0",model__name="m"} 1.7672256025e+09
vllm__prompt__tokens__total{engine="1",model__name="m"} 6.0
vllm__prompt__tokens__created{engine="1",model__name="m"} 1.7672256025e+09
# HELP vllm:running Now.
# TYPE vllm:running gauge
vllm__running{model__name="m"} 2.0
# HELP h__seconds H.
# TYPE h__seconds histogram
h__seconds__bucket{le="0.1",x="a"} 0.0
h__seconds__bucket{le="+Inf",x="a"} 1.0
h__seconds__count{x="a"} 1.0
h__seconds__sum{x="a"} 0.5
h__seconds__created{x="a"} 1.7672256025e+09
# EOF
`,
  values: `# HELP vllm:prompt_tokens Number of \\"tokens\\".
# TYPE vllm:prompt_tokens counter
U__vllm_3a_prompt__tokens__total{engine="0",model_name="m"} 5.0
U__vllm_3a_prompt__tokens__created{engine="0",model_name="m"} 1.7672256025e+09
U__vllm_3a_prompt__tokens__total{engine="1",model_name="m"} 6.0
U__vllm_3a_prompt__tokens__created{engine="1",model_name="m"} 1.7672256025e+09
# HELP vllm:running Now.
# TYPE vllm:running gauge
U__vllm_3a_running{model_name="m"} 2.0
# HELP h_seconds H.
# TYPE h_seconds histogram
U__h__seconds__bucket{le="0.1",x="a"} 0.0
U__h__seconds__bucket{le="+Inf",x="a"} 1.0
U__h__seconds__count{x="a"} 1.0
U__h__seconds__sum{x="a"} 0.5
U__h__seconds__created{x="a"} 1.7672256025e+09
# EOF
`,
}

describe('OpenMetrics', () => {
  it.each(Object.entries(EXPECTED))('is spelt as the Python client spells it: %s', (escaping, expected) => {
    expect(renderOpenMetrics(FAMILIES, escaping as Escaping)).toBe(expected)
  })
})

describe('the text format', () => {
  it('keeps colons, and doubles underscores where dots are asked for', () => {
    expect(renderText(FAMILIES, 'underscores')).toBe(renderFamilies(FAMILIES))
    const dotted = renderText(FAMILIES.slice(0, 2), 'dots').split('\n')
    expect(dotted.slice(0, 3)).toEqual([
      '# HELP vllm:prompt__tokens__total Number of "tokens".',
      '# TYPE vllm:prompt__tokens__total counter',
      'vllm:prompt__tokens__total{engine="0",model__name="m"} 5.0',
    ])
    expect(dotted).toContain('# TYPE vllm:prompt__tokens__created gauge')
  })
})

describe('a restricted registry', () => {
  const text = (...names: readonly string[]) => renderFamilies(restricted(FAMILIES, new Set(names)))

  it('has samples of the names asked for and nothing else', () => {
    expect(text('vllm:running', 'h_seconds_sum', 'nothing', 'vllm:prompt_tokens')).toBe(
      '# HELP vllm:running Now.\n# TYPE vllm:running gauge\nvllm:running{model_name="m"} 2.0\n# HELP h_seconds H.\n# TYPE h_seconds histogram\nh_seconds_sum{x="a"} 0.5\n',
    )
  })

  it('of times alone keeps the head of their family', () => {
    expect(text('vllm:prompt_tokens_created').split('\n').slice(0, 4)).toEqual([
      '# HELP vllm:prompt_tokens_total Number of "tokens".',
      '# TYPE vllm:prompt_tokens_total counter',
      '# HELP vllm:prompt_tokens_created Number of "tokens".',
      '# TYPE vllm:prompt_tokens_created gauge',
    ])
  })
})

describe('the format for an Accept header', () => {
  it.each([
    ['', 'text/plain; version=0.0.4; charset=utf-8'],
    ['*/*', 'text/plain; version=0.0.4; charset=utf-8'],
    ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'text/plain; version=0.0.4; charset=utf-8'],
    ['text/plain;version=1.0.0', 'text/plain; version=1.0.0; charset=utf-8; escaping=underscores'],
    ['text/plain;version=1', 'text/plain; version=0.0.4; charset=utf-8'],
    ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8,text/plain;version=1.0.0',
      'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8',
    ],
    [
      'application/openmetrics-text;version=2.0.0;escaping=strange',
      'application/openmetrics-text; version=2.0.0; charset=utf-8; escaping=underscores',
    ],
    [
      // what Prometheus 2.42 sends
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores',
    ],
    [
      'application/openmetrics-text;version=0.0.1;q=0.2,text/plain; version=1.0.0; escaping=dots',
      'text/plain; version=1.0.0; charset=utf-8; escaping=dots',
    ],
  ])('%s', (accept, contentType) => {
    expect(chooseFormat(accept).contentType).toBe(contentType)
  })
})
