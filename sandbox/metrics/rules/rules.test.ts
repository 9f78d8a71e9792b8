import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../world/clock.ts'
import { minutes, seconds, toSeconds } from '../../world/time.ts'
import { TsdbQuerier } from '../promql/engine.ts'
import { Tsdb } from '../tsdb/tsdb.ts'
import { loadPrometheusRule, loadRuleFile } from './load.ts'
import { RuleManager } from './manager.ts'
import { RuleError } from './rule.ts'

/** A manager over a store in which `load` (a value for each second) is written every 15 s. */
function setUp(groups: unknown, load: (second: number) => Record<string, number>) {
  const clock = new VirtualClock()
  const tsdb = new Tsdb()
  const querier = new TsdbQuerier(tsdb)
  const write = () => {
    for (const [pod, value] of Object.entries(load(toSeconds(clock.now))))
      tsdb.append(tsdb.series({ __name__: 'load', pod }), clock.now, value)
    clock.after(seconds(15), write)
  }
  write()
  const changes: string[] = []
  const manager = new RuleManager({
    world: { clock },
    tsdb,
    querier,
    groups: loadRuleFile({ groups }, 'rules.yml'),
    onAlert: ({ labels, state }, before) =>
      changes.push(`${toSeconds(clock.now)} ${labels['alertname']}/${labels['pod']} ${before ?? 'new'} → ${state}`),
  })
  manager.start()
  const answer = (expr: string) => {
    const result = querier.instant(expr, clock.now)
    return result.type === 'vector' ? result.samples.map(({ labels, value }) => ({ ...labels, value })) : []
  }
  return { clock, manager, changes, answer }
}

describe('recording rules', () => {
  const groups = [
    {
      name: 'sums',
      interval: '30s',
      rules: [
        { record: 'job:load:sum', expr: 'sum by (pod) (load)', labels: { team: 'ml' } },
        { record: 'job:load:double', expr: '2 * job:load:sum' },
      ],
    },
  ]

  it('write their results in order, each seeing what those before it wrote', () => {
    const { clock, answer } = setUp(groups, () => ({ a: 3 }))
    clock.runUntil(minutes(1))
    expect(answer('job:load:sum')).toEqual([{ __name__: 'job:load:sum', pod: 'a', team: 'ml', value: 3 }])
    expect(answer('job:load:double')).toEqual([{ __name__: 'job:load:double', pod: 'a', team: 'ml', value: 6 }])
  })

  it('end the series of results that vanish, and of all when stopped', () => {
    const { clock, manager, answer } = setUp(
      groups,
      (s): Record<string, number> => (s < 60 ? { a: 1, b: 1 } : { a: 1 }),
    )
    clock.runUntil(minutes(3))
    expect(answer('count(job:load:sum)')).toEqual([{ value: 2 }])
    clock.runUntil(minutes(7)) // b's last sample is out of the lookback, so the rule's result lacks it
    expect(answer('job:load:sum')).toMatchObject([{ pod: 'a' }])
    manager.stop()
    expect(answer('job:load:sum')).toEqual([])
    clock.runUntil(minutes(9))
    expect(answer('job:load:sum')).toEqual([])
  })

  it('say what went wrong, and go on with the next', () => {
    const { clock, manager, answer } = setUp(
      [
        {
          name: 'g',
          interval: '15s',
          limit: 1,
          rules: [
            { record: 'all', expr: 'load' },
            { record: 'one', expr: 'count(load)' },
          ],
        },
      ],
      () => ({ a: 1, b: 1 }),
    )
    clock.runUntil(minutes(1))
    expect(manager.health().map(({ error }) => error)).toEqual(['exceeded limit of 1 with 2 series', undefined])
    expect(answer('one')).toMatchObject([{ value: 2 }])
  })
})

describe('alerting rules', () => {
  const alert = {
    alert: 'Busy',
    expr: 'load > 5',
    for: '1m',
    keep_firing_for: '45s',
    labels: { severity: '{{ if }}' },
    annotations: { summary: '{{ $labels.pod }} at {{ $value | humanize }}' },
  }
  const groups = (changes: object) => [
    { name: 'g', interval: '15s', rules: [{ ...alert, labels: { severity: 'page' }, ...changes }] },
  ]
  const busyFor = (from: number, to: number) => (s: number) => ({ a: s >= from && s < to ? 9 : 1 })
  const offset = (changes: readonly string[]) => changes.map((line) => Number(line.split(' ')[0]) % 15)[0]!

  it('are pending for `for`, fire, go on for `keep_firing_for`, and end', () => {
    const { clock, manager, changes, answer } = setUp(groups({}), busyFor(120, 300))
    clock.runUntil(minutes(4))
    expect(manager.alerts()).toMatchObject([
      {
        state: 'firing',
        value: 9,
        labels: { alertname: 'Busy', pod: 'a', severity: 'page' },
        annotations: { summary: 'a at 9' },
      },
    ])
    expect(answer('ALERTS')).toEqual([
      { __name__: 'ALERTS', alertname: 'Busy', alertstate: 'firing', pod: 'a', severity: 'page', value: 1 },
    ])
    const since = manager.alerts()[0]!.activeAt
    expect(answer('ALERTS_FOR_STATE')).toMatchObject([{ value: Math.floor(Date.UTC(2026, 0, 1) / 1e3 + since / 1e6) }])
    clock.runUntil(minutes(10))
    const o = offset(changes)
    expect(changes).toEqual([
      `${120 + o} Busy/a new → pending`,
      `${180 + o} Busy/a pending → firing`,
      `${345 + o} Busy/a firing → inactive`,
    ])
    expect(answer('ALERTS')).toEqual([])
  })

  it('that cease before `for` never fire', () => {
    const { clock, changes } = setUp(groups({}), busyFor(120, 165))
    clock.runUntil(minutes(10))
    const o = offset(changes)
    expect(changes).toEqual([`${120 + o} Busy/a new → pending`, `${165 + o} Busy/a pending → inactive`])
  })

  it('fire at once without `for`, again after an end', () => {
    const { clock, changes } = setUp(groups({ for: '0s', keep_firing_for: undefined }), (s) => ({
      a: s % 60 < 30 ? 9 : 1,
    }))
    clock.runUntil(seconds(80))
    expect(changes.map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      'Busy/a new → firing',
      'Busy/a firing → inactive',
      'Busy/a new → firing',
    ])
  })
})

describe('rules that cannot be loaded', () => {
  const load = (rule: object, group: object = {}) => {
    try {
      loadRuleFile({ groups: [{ name: 'g', rules: [rule], ...group }] }, 'f.yml')
    } catch (error) {
      if (error instanceof RuleError) return `${error.code} ${error.message.split(';')[0]}`
      throw error
    }
    return 'loaded'
  }

  it.each([
    [{ alert: 'A', expr: 'up' }, 'loaded'],
    [
      { alert: 'A', record: 'b', expr: 'up' },
      `RULES_INVALID f.yml: group "g", rule 1, "A": only one of 'record' and 'alert' must be set`,
    ],
    [
      { record: 'b', expr: 'rate(up)' },
      'RULES_INVALID f.yml: group "g", rule 1, "b": could not parse expression: 1:6: parse error: expected type range vector in call to function "rate", got instant vector',
    ],
    [
      { record: 'b', expr: 'up', for: '5m' },
      `RULES_INVALID f.yml: group "g", rule 1, "b": invalid field 'for' in recording rule`,
    ],
    [
      { alert: 'A', expr: 'up', for: '5 minutes' },
      'RULES_INVALID f.yml: group "g", rule 1, "A": unknown unit " minutes" in duration "5 minutes"',
    ],
    [
      { alert: 'A', expr: 'info(up)' },
      'RULES_UNSUPPORTED f.yml: group "g", rule 1, "A": 1:1: the function info() is valid PromQL that Seatrial does not evaluate',
    ],
    [
      { alert: 'A', expr: 'up', annotations: { x: '{{ query "up" }}' } },
      'RULES_UNSUPPORTED f.yml: group "g", rule 1, "A": annotation "x": the template function "query" is not one Seatrial evaluates',
    ],
    [
      { alert: 'A', expr: 'up', annotations: { x: '{{ if $value }}a{{ end }}' } },
      'RULES_UNSUPPORTED f.yml: group "g", rule 1, "A": annotation "x": "if" in a template is not evaluated by Seatrial',
    ],
    [
      { alert: 'A', expr: 'up', annotations: { x: '{{ $nothing }}' } },
      'RULES_INVALID f.yml: group "g", rule 1, "A": annotation "x": undefined variable "$nothing"',
    ],
  ])('%j', (rule, expected) => {
    expect(load(rule)).toBe(expected)
  })

  it('groups of PrometheusRule objects name the object', () => {
    const groups = loadPrometheusRule({
      metadata: { name: 'vllm', namespace: 'monitoring' },
      spec: { groups: [{ name: 'g', interval: '1m', labels: { team: 'ml' }, rules: [{ record: 'one', expr: 1 }] }] },
    })
    expect(groups).toMatchObject([
      { file: 'monitoring/vllm', interval: minutes(1), rules: [{ expr: '1', labels: { team: 'ml' } }] },
    ])
  })
})
