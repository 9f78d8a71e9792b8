import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { platformOf, SERVICE_MONITOR } from '../platform/roles/autoscaling/testkit.ts'
import { alertNotes, surveyAlerts } from './survey.ts'

const rule = (rules: string, meta = 'name: chat, namespace: llm') => `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {${meta}}
spec:
  groups:
    - name: chat
      rules:
${rules}`

const alert = (expr: string) => rule(`        - {alert: A, expr: '${expr}', for: 5m, labels: {severity: page}}`)

/** What is said of one alert: `evaluated`, or why not. */
async function said(expr: string, { more = [] as string[], config = '' } = {}): Promise<string> {
  const { alerts } = surveyAlerts(await platformOf([SERVICE_MONITOR, alert(expr), ...more], { config }))
  const { left } = alerts[0]!
  return left ? `${left.kind}: ${left.name ? `${left.name}: ` : ''}${left.why}` : 'evaluated'
}

describe('an alert', () => {
  it.each([
    'vllm:num_requests_waiting > 5',
    'sum by (pod) (rate(vllm:generation_tokens_total{namespace="llm"}[5m])) == 0 and on(pod) vllm:num_requests_running > 0',
    'histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket{model_name=~".*Llama.*"}[5m]))) > 2',
    'up{job="chat"} == 0',
    'vector(1)',
    // a slip that does not keep it from firing
    'absent(vllm:num_request_waiting)',
    'absent_over_time(vllm:num_requests_waiting{nolabel="x"}[10m])',
    'vllm:num_request_waiting > 5 or vllm:num_requests_waiting > 5',
    'vllm:num_requests_waiting > 5 unless vllm:num_request_running > 5',
    'vllm:num_requests_waiting > on() group_left() (vllm:num_request_running or vector(3))',
    'vllm:num_requests_waiting{nolabel!="x"} > 1',
    'vllm:num_requests_waiting{nolabel=""} > 1',
  ])('%s is evaluated', async (expr) => {
    expect(await said(expr)).toBe('evaluated')
  })

  it.each([
    [
      'vllm:num_request_waiting > 5',
      'nothing is called vllm:num_request_waiting; the nearest there is vllm:num_requests_waiting',
    ],
    [
      'vllm_num_requests_waiting > 5',
      'nothing is called vllm_num_requests_waiting; the nearest there is vllm:num_requests_waiting',
    ],
    [
      'rate(vllm:generation_tokens[5m]) == 0',
      'nothing is called vllm:generation_tokens; the nearest there is vllm:generation_tokens_total',
    ],
    [
      'vllm:gpu_cache_usage_perc > 0.9',
      'vLLM 0.32.0 does not expose vllm:gpu_cache_usage_perc; it has vllm:kv_cache_usage_perc',
    ],
    [
      'sum(rate(vllm:num_request_waiting[5m])) > 5 and vector(1)',
      'nothing is called vllm:num_request_waiting; the nearest there is vllm:num_requests_waiting',
    ],
    [
      'vllm:num_request_waiting or vllm:num_request_running',
      'nothing is called vllm:num_request_waiting; the nearest there is vllm:num_requests_waiting',
    ],
    [
      'kube_hpa_status_condition{condition="ScalingActive",status="false"} == 1',
      'nothing is called kube_hpa_status_condition; the nearest there is kube_horizontalpodautoscaler_status_condition',
    ],
    ['kube_pod_status_phse == 1', 'nothing is called kube_pod_status_phse; the nearest there is kube_pod_status_phase'],
    [
      'vllm:num_requests_waiting{model="x"} > 5',
      'vllm:num_requests_waiting has no label «model»; the nearest it has is model_name',
    ],
    [
      'vllm:num_requests_waiting{model_name="llama"} > 5',
      'vllm:num_requests_waiting has model_name="meta-llama/Llama-3.1-8B-Instruct", which model_name="llama" does not match',
    ],
    [
      'vllm:num_requests_waiting{namespace=~"prod|dev"} > 5',
      'vllm:num_requests_waiting has namespace="llm", which namespace=~"prod|dev" does not match',
    ],
  ])('%s can never fire', async (expr, why) => {
    expect(await said(expr)).toBe(`never: ${why}`)
  })

  it.each([
    [
      'node_filesystem_avail_bytes < 5',
      'node_filesystem_avail_bytes: no server, recording rule or exporter that is simulated has what they ask for',
    ],
    ['DCGM_FI_DEV_GPU_TEMP > 80', 'DCGM_FI_DEV_GPU_TEMP: it is of dcgm, which nothing says is scraped'],
    // real names, near to others
    ['kube_node_created > 1', 'kube_node_created: it is of kube-state-metrics, which nothing says is scraped'],
    ['DCGM_FI_PROF_PCIE_RX_BYTES > 1', undefined],
    [
      'vllm:current_qps > 1',
      'vllm:current_qps: no server, recording rule or exporter that is simulated has what they ask for',
    ],
    [
      'http_requests_count > 1',
      'http_requests_count: no server, recording rule or exporter that is simulated has what they ask for',
    ],
    [
      'vllm:num_requests_waiting > 5 and on() node_load1 > 1',
      'node_load1: no server, recording rule or exporter that is simulated has what they ask for',
    ],
  ])('%s is not simulated', async (expr, why) => {
    const text = await said(expr)
    expect(text).toMatch(/^notSimulated: /)
    if (why) expect(text).toBe(`notSimulated: ${why}`)
  })

  it('follows recording rules', async () => {
    const recorded = (record: string, expr: string) =>
      rule(`        - {record: '${record}', expr: '${expr}'}`, 'name: rec, namespace: llm')
    expect(await said('chat:queue > 1', { more: [recorded('chat:queue', 'sum(vllm:num_requests_waiting)')] })).toBe(
      'evaluated',
    )
    expect(await said('chat:queue > 1', { more: [recorded('chat:queue', 'vllm:num_request_waiting')] })).toContain(
      'never: what chat:queue is recorded of: nothing is called vllm:num_request_waiting',
    )
    expect(await said('chat:queu > 1', { more: [recorded('chat:queue', 'vllm:num_requests_waiting')] })).toBe(
      'never: nothing is called chat:queu; the nearest there is chat:queue',
    )
  })

  it('rests on exporters that seatrial.yaml names', async () => {
    const config = 'metrics: {prometheus: {exporters: [kube-state-metrics]}}'
    expect(await said('kube_pod_status_ready == 0', { config })).toBe('evaluated')
  })

  it('that nothing scrapes for is told once for all', async () => {
    const monitor = SERVICE_MONITOR.replace('{app: chat}', '{app: other}')
    const rules = ['A', 'B']
      .map((name) => `        - {alert: ${name}, expr: 'vllm:num_requests_waiting > 1'}`)
      .join('\n')
    const { remarks } = surveyAlerts(await platformOf([monitor, rule(rules)]))
    expect(remarks.map(({ what }) => what)).toEqual([
      'alerts A, B can never fire: nothing scrapes Deployment/llm/chat at port 8000',
    ])
  })

  it('is not asked where nothing tells of a Prometheus', async () => {
    const survey = surveyAlerts(await platformOf([alert('vllm:num_request_waiting > 5')]))
    expect(survey.remarks).toEqual([])
    expect(alertNotes(survey)).toEqual([
      'alerts not evaluated: A: nothing tells of a Prometheus, nor of what it scrapes',
    ])
  })

  it('of a PrometheusRule that no Prometheus selects', async () => {
    const prometheus =
      'apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: main, namespace: llm}\nspec: {serviceMonitorSelector: {}, ruleSelector: {matchLabels: {team: ml}}}'
    const of = async (text: string) => surveyAlerts(await platformOf([SERVICE_MONITOR, prometheus, text])).remarks
    expect((await of(alert('vllm:num_requests_waiting > 5'))).map(({ what }) => what)).toEqual([
      'the alerts of PrometheusRule/llm/chat can never fire: no Prometheus of the platform (main) selects it',
    ])
    const labelled = alert('vllm:num_requests_waiting > 5').replace(
      'namespace: llm}',
      'namespace: llm, labels: {team: ml}}',
    )
    expect(await of(labelled)).toEqual([])
  })

  it('on what is recorded beside a rule that cannot be read is evaluated', async () => {
    const both = rule(
      "        - {record: 'chat:queue:sum', expr: 'sum(vllm:num_requests_waiting)'}\n        - {alert: B, expr: 'sum('}",
      'name: rec, namespace: llm',
    )
    expect(await said('chat:queue:sum > 1', { more: [both] })).toBe('evaluated')
  })

  it('of many that are not simulated is told in a line', async () => {
    const rules = Array.from({ length: 9 }, (_, i) => `        - {alert: A${i}, expr: 'node_load${i} > 1'}`).join('\n')
    expect(alertNotes(surveyAlerts(await platformOf([SERVICE_MONITOR, rule(rules)])))).toEqual([
      'alerts not evaluated: A0, A1, A2, A3, A4, A5 and 3 more: no server, recording rule or exporter that is simulated has what they ask for (node_load0, node_load1, node_load2, node_load3, node_load4, node_load5 and 3 more)',
    ])
  })

  it('that cannot be read is left out alone', async () => {
    const rules = rule(
      "        - {alert: A, expr: 'sum('}\n        - {alert: B, expr: up == 0, annotations: {a: '{{ query \"up\" }}'}}",
    )
    const { alerts } = surveyAlerts(await platformOf([SERVICE_MONITOR, rules]))
    expect(alerts.map(({ alert, left }) => `${alert} ${left?.kind}`)).toEqual(['A unread', 'B undefined'])
  })
})

it('the place is that of the name in the expression', async () => {
  const text = rule(`        - alert: Queue
          expr: |
            sum(
              vllm:num_requests_waiting
              + vllm:num_request_running
            ) > 5`)
  const { remarks } = surveyAlerts(await platformOf([SERVICE_MONITOR, text]))
  const [{ at }] = remarks as [(typeof remarks)[number]]
  const platform = await platformOf([SERVICE_MONITOR, text])
  const line = platform.objects
    .find(({ manifest }) => manifest.kind === 'PrometheusRule')!
    .parsed.source.text.split('\n')[at.line - 1]!
  expect(line.slice(at.column - 1)).toBe('vllm:num_request_running')
})

it('no shape of a PrometheusRule makes it fall over', async () => {
  const part = fc.oneof(fc.constantFrom<unknown>(null, 3, true, 'up', [], {}, [null]), fc.constant('vllm:x > 1'))
  const rules = fc.array(fc.oneof(part, fc.record({ alert: part, expr: part, for: part }, { requiredKeys: [] })), {
    maxLength: 3,
  })
  const spec = fc.record({
    groups: fc.oneof(
      part,
      fc.array(fc.oneof(part, fc.record({ name: part, rules: fc.oneof(part, rules) })), { maxLength: 2 }),
    ),
  })
  await fc.assert(
    fc.asyncProperty(spec, async (one) => {
      const object = {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'PrometheusRule',
        metadata: { name: 'x' },
        spec: one,
      }
      const platform = await platformOf([SERVICE_MONITOR, JSON.stringify(object)])
      expect(Array.isArray(surveyAlerts(platform).alerts)).toBe(true)
    }),
    { numRuns: 30 },
  )
})
