/** HorizontalPodAutoscalers a client might send, by what is odd about them: specs. */

const REF = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const plain = (fields: object = {}) => ({ scaleTargetRef: REF, maxReplicas: 5, ...fields })
const metric = (fields: object) => plain({ metrics: [fields] })
const cpu = (target: object) => metric({ type: 'Resource', resource: { name: 'cpu', target } })
const container = (fields: object) => {
  const target = { type: 'Utilization', averageUtilization: 50 }
  return metric({ type: 'ContainerResource', containerResource: { name: 'cpu', container: 'main', target, ...fields } })
}
const pods = (fields: object) =>
  metric({
    type: 'Pods',
    pods: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '0.5' }, ...fields },
  })
const external = (target: object, more: object = {}) =>
  metric({ type: 'External', external: { metric: { name: 'lag', ...more }, target } })
const object = (target: object, describedObject: object = { apiVersion: 'v1', kind: 'Service', name: 's' }) =>
  metric({ type: 'Object', object: { metric: { name: 'rps' }, describedObject, target } })
const up = (scaleUp: object) => plain({ behavior: { scaleUp } })
const policy = (fields: object) => up({ policies: [{ type: 'Pods', value: 1, periodSeconds: 15, ...fields }] })
const both = { type: 'Utilization', averageUtilization: 50, averageValue: '1' }

export const autoscalerSpecs: Readonly<Record<string, object>> = {
  plain: plain(),
  'no target': { maxReplicas: 5 },
  'no maximum': { scaleTargetRef: REF },
  'negative maximum': plain({ maxReplicas: -1 }),
  'zero minimum': plain({ minReplicas: 0 }),
  'negative minimum': plain({ minReplicas: -1 }),
  'minimum above maximum': plain({ minReplicas: 6 }),
  'no group': plain({ scaleTargetRef: { kind: 'Deployment', name: 'web' } }),
  'core group': plain({ scaleTargetRef: { ...REF, apiVersion: 'v1' } }),
  'replication controller': plain({ scaleTargetRef: { kind: 'ReplicationController', name: 'web' } }),
  'three parts': plain({ scaleTargetRef: { ...REF, apiVersion: 'a/b/c' } }),
  'slash in kind': plain({ scaleTargetRef: { ...REF, kind: 'a/b' } }),
  'dots as name': plain({ scaleTargetRef: { ...REF, name: '..' } }),
  'no metrics': plain({ metrics: [] }),
  'cpu percent': cpu({ type: 'Utilization', averageUtilization: 60 }),
  'cpu zero percent': cpu({ type: 'Utilization', averageUtilization: 0 }),
  'cpu both': cpu(both),
  'cpu none': cpu({ type: 'Utilization' }),
  'cpu no type': cpu({ averageUtilization: 60 }),
  'cpu odd type': cpu({ type: 'Percent', averageUtilization: 60 }),
  'cpu zero': cpu({ type: 'AverageValue', averageValue: '0' }),
  'cpu half': cpu({ type: 'AverageValue', averageValue: '0.5' }),
  'memory odd': metric({
    type: 'Resource',
    resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1.5Gi' } },
  }),
  'no resource name': metric({
    type: 'Resource',
    resource: { target: { type: 'Utilization', averageUtilization: 1 } },
  }),
  container: container({}),
  'container without name': container({ container: '' }),
  'container bad name': container({ container: 'A b' }),
  'container odd resource': container({ name: 'gpu' }),
  'container both': container({ target: both }),
  pods: pods({}),
  'pods value': pods({ target: { type: 'Value', value: '1' } }),
  'pods no name': pods({ metric: {} }),
  'pods slash': pods({ metric: { name: 'a/b%' } }),
  'pods selector': pods({ metric: { name: 'a', selector: { matchLabels: { a: 'b' } } } }),
  external: external({ type: 'Value', value: '1k' }),
  'external both': external({ type: 'Value', value: '1k', averageValue: '1' }),
  'external none': external({ type: 'Value' }),
  'external negative': external({ type: 'AverageValue', averageValue: '-1' }),
  'external micro': external({ type: 'AverageValue', averageValue: '1u' }),
  object: object({ type: 'Value', value: '5' }),
  'object both': object({ type: 'Value', value: '5', averageValue: '5' }),
  'object none': object({ type: 'Value' }),
  'object no kind': object({ type: 'Value', value: '5' }, { name: 's' }),
  'object no version': object({ type: 'Value', value: '5' }, { kind: 'Service', name: 's' }),
  'no type': metric({ resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }),
  'odd type': metric({ type: 'Queue' }),
  'type without source': metric({ type: 'Pods' }),
  'two sources': metric({
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
    pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: '1' } },
  }),
  'empty behavior': plain({ behavior: {} }),
  'only down': plain({ behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } }),
  tolerance: up({ tolerance: '0.05' }),
  'negative tolerance': up({ tolerance: '-0.05' }),
  'long window': up({ stabilizationWindowSeconds: 3601 }),
  'negative window': up({ stabilizationWindowSeconds: -1 }),
  'odd selectPolicy': up({ selectPolicy: 'Any' }),
  'no policies': up({ policies: [] }),
  policy: policy({}),
  'policy type': policy({ type: 'Nodes' }),
  'policy value': policy({ value: 0 }),
  'policy period': policy({ periodSeconds: 0 }),
  'policy long period': policy({ periodSeconds: 1801 }),
  'zero with external': {
    ...external({ type: 'Value', value: '1' }),
    minReplicas: 0,
  },
}
