import { and, either, type HostileCase } from './case.ts'

const quoted = (text: string) => JSON.stringify(text)

const triggered = (type: string, metadata: Record<string, string>) =>
  and(
    `apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: chat}\nspec: {scaleTargetRef: {name: chat}, maxReplicaCount: 2, triggers: [{type: ${type}, metadata: {${Object.entries(
      metadata,
    )
      .map(([key, value]) => `${key}: ${quoted(value)}`)
      .join(', ')}}}]}`,
  )
const query = (expression: string) =>
  triggered('prometheus', { serverAddress: 'http://prometheus:9090', query: expression, threshold: '1' })
const cron = (start: string, end: string, timezone = 'UTC') =>
  triggered('cron', { start, end, timezone, desiredReplicas: '2' })
const monitor = (relabeling: string) =>
  and(
    `apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: chat}\nspec: {selector: {matchLabels: {app: chat}}, endpoints: [{port: http, interval: 5s, metricRelabelings: [${relabeling}]}]}\n---\n${query('sum(vllm:num_requests_waiting)').slice(WELL_LENGTH)}`,
  )
const WELL_LENGTH = and('').length - 1
const rule = (expr: string) =>
  and(
    `apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: chat}\nspec: {groups: [{name: g, rules: [{record: "a:b", expr: ${quoted(expr)}}]}]}\n---\n${query('a:b').slice(WELL_LENGTH)}`,
  )

const CATASTROPHES = [
  '(a+)+$',
  '(a|a)*b',
  '(.*)*x',
  '(([a-z])+.)+[A-Z]([a-z])+$',
  '(a?){30}a{30}',
  '(?=a)b',
  '(a)\\1',
  '[',
  'a{99999}',
  '(?<n>a)',
]

/** Expressions that could take for ever: regular expressions, PromQL, cron. Legitimate or not, they must end. */
export const expressionCases = (): HostileCase[] => [
  ...CATASTROPHES.flatMap((regex) => [
    either(
      `a metric relabeling by ${regex}`,
      monitor(`{sourceLabels: [__name__], regex: ${quoted(regex)}, action: keep}`),
    ),
    either(`a query for ${regex}`, query(`sum({__name__=~${quoted(regex)}})`)),
  ]),
  ...queries.map(([name, text]) => either(`PromQL: ${name}`, query(text))),
  ...queries.slice(0, 4).map(([name, text]) => either(`a recording rule: ${name}`, rule(text))),
  ...crons.map(([start, end, zone]) =>
    either(`cron from «${start.slice(0, 30)}» to «${end.slice(0, 30)}» ${zone ?? ''}`, cron(start, end, zone)),
  ),
]

const queries: readonly (readonly [string, string])[] = [
  ['10,000 parentheses', `${'('.repeat(10_000)}1${')'.repeat(10_000)}`],
  ['10,000 minus signs', `${'-'.repeat(10_000)}1`],
  ['10,000 sums', `${'sum('.repeat(10_000)}up${')'.repeat(10_000)}`],
  ['100,000 additions', Array(100_000).fill('1').join('+')],
  ['a subquery of a year by a millisecond', 'max_over_time(up[1y:1ms])'],
  ['a range of 10^9 years', 'rate(up[1000000000y])'],
  ['an offset of 10^300', 'up offset 1e300'],
  ['an open parenthesis', '('],
  ['nothing', ''],
  ['a megabyte of letters', 'a'.repeat(1e6)],
  ['NaN', 'NaN'],
  ['a quantile of infinity', 'quantile(Inf, up)'],
  ['an escape to the terminal', '"\u202e\u0007"'],
  ['a million powers', '2^2^2^2^2^2^2^2^2'],
]

const crons: readonly (readonly [string, string, string?])[] = [
  ['* * * * *', '* * * * *'],
  ['* * * * * *', '* * * * * *'],
  ['0 0 30 2 *', '0 0 31 2 *'],
  ['0 0 29 2 1', '0 1 29 2 1'],
  ['@every 1ns', '@reboot'],
  ['*/0 * * * *', '*/-1 * * * *'],
  ['0-999999999 * * * *', '0 * * * *'],
  ['99 99 99 99 99', '0 0 * * *'],
  ['0 0 * * *', '1 0 * * *', 'Mars/Olympus'],
  ['0 0 * * *', '1 0 * * *', '../../etc/passwd'],
  [`${'0,'.repeat(100_000)}0 * * * *`, '0 * * * *'],
]
