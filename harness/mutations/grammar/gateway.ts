import type { Plain } from '../edit.ts'
import { adding } from '../places.ts'
import { just, type Row } from '../row.ts'

const WITH_LOAD = ['drain-with-pdb', 'rollout-on-full-gpus']
const ROLLOUT = ['rollout-on-full-gpus']

const GATEWAY: readonly Plain[] = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'istio' },
    spec: { controllerName: 'istio.io/gateway-controller' },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'front' },
    spec: { gatewayClassName: 'istio', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
  },
]

const BACKEND = { name: 'chat', port: 80 }

/** A gateway in front of the server, with one rule. */
const routed = (rule: Plain = {}, backend: Plain = {}, parent: Plain = {}) =>
  adding(...GATEWAY, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'chat' },
    spec: {
      parentRefs: [{ name: 'front', ...parent }],
      rules: [{ backendRefs: [{ ...BACKEND, ...backend }], ...rule }],
    },
  })

const ON = ['two-replicas-with-budget', 'surge-and-unavailable']

/** Answers of 80 tokens from an L40S, each token 18 ms and more; of 200 tokens from eight H100, each 5 ms and more. */
export const gateway: readonly Row[] = [
  {
    what: 'a Gateway and an HTTPRoute',
    changes: [
      ...just('as plain as can be', routed({ timeouts: { request: '60s' } })),
      ...just(
        'a path',
        routed({ timeouts: { request: '60s' }, matches: [{ path: { type: 'PathPrefix', value: '/v1' } }] }),
      ),
      ...just('without a timeout', routed({ timeouts: { request: '0s' } })),
      ...just('a weight', routed({ timeouts: { request: '60s' } }, { weight: 5 })),
      ...just('a section', routed({ timeouts: { request: '60s' } }, {}, { sectionName: 'http' })),
    ],
    in: WITH_LOAD,
    on: ON,
    expected: 'PASS',
    why: 'every request gets through, and none takes a minute',
  },
  {
    what: 'HTTPRoute timeouts',
    changes: [
      ...just('request: 200ms', routed({ timeouts: { request: '200ms' } })),
      ...just('backendRequest: 100ms', routed({ timeouts: { request: '60s', backendRequest: '100ms' } })),
    ],
    in: ROLLOUT,
    on: ON,
    expected: 'FAIL',
    why: '200 tokens take a second and more',
  },
  {
    what: 'HTTPRoute backendRefs',
    changes: [
      ...just('weight: 0', routed({}, { weight: 0 })),
      ...just('port: 9999', routed({}, { port: 9999 })),
      ...just('sectionName: https', routed({}, {}, { sectionName: 'https' })),
      ...just('parent: back', routed({}, {}, { name: 'back' })),
    ],
    in: WITH_LOAD,
    on: ON,
    expected: 'untriable',
    why: 'no request comes through the gateway to a pod',
  },
]
