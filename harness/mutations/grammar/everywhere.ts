import { REMOVED } from '../edit.ts'
import { config, container, deployment, flag, own, pod } from '../places.ts'
import { each, just, type Row, set } from '../row.ts'

const NO_PROBES = 'bad-model-config'
/** Scenarios without requests. */
export const QUIET = ['bad-model-config', 'liveness-kills-loading', 'xid-device-loss']

const IMAGE = /vllm-openai:v[\d.]+/
/** Scenarios of autoscalers that look at series of the server. */
const SCALED = [
  'absent-series-is-not-idle',
  'cold-start-from-zero',
  'hpa-on-cpu-blind',
  'metrics-outage',
  'saturated-but-kv-low',
]

const GPU = container('/resources/limits/nvidia.com~1gpu')

/** What breaks a server whatever it is tried for: it does not start, is not placed, or is not reached. */
export const everywhere: readonly Row[] = [
  {
    what: 'nodeSelector',
    changes: set(pod('/nodeSelector'), [{ pool: 'gpuu' }]),
    in: 'every',
    expected: 'FAIL',
    why: 'no node has the label',
  },
  {
    what: 'a taint of the nodes',
    changes: set(config('/nodes/0/taints'), [[{ key: 'dedicated', value: 'a', effect: 'NoSchedule' }]]),
    in: 'every',
    expected: 'FAIL',
    why: 'no pod tolerates it',
  },
  {
    what: 'GPUs of a pod',
    changes: set(GPU, [100]),
    in: 'every',
    expected: 'FAIL',
    why: 'no node has as many',
  },
  {
    what: 'GPUs of a pod',
    changes: set(GPU, [REMOVED]),
    in: 'every',
    expected: (_, scenario) => (scenario === 'xid-device-loss' ? 'untriable' : 'FAIL'),
    why: 'vLLM finds no device; with no GPU to lose, there is nothing to try',
  },
  {
    what: 'requests for CPU, too much',
    changes: set(container('/resources/requests/cpu'), ['2000']),
    in: 'every',
    expected: 'FAIL',
    why: 'no node has as much',
  },
  {
    what: 'an unknown flag',
    changes: each(['max-number-seqs', 'gpu-memory-share'], (name) => flag(name, 1)),
    in: 'every',
    expected: 'FAIL',
    why: 'argparse refuses it',
  },
  {
    what: '--max-model-len',
    changes: each([200000], (v) => flag('max-model-len', v)),
    in: 'every',
    expected: 'FAIL',
    why: 'more than the 131,072 positions the model knows',
  },
  {
    what: '--gpu-memory-utilization',
    changes: each([0.05, 1.5], (v) => flag('gpu-memory-utilization', v)),
    in: 'every',
    expected: 'FAIL',
    why: 'less than the weights take; a share above 1',
  },
  {
    what: '--tensor-parallel-size',
    changes: each([3, 16], (v) => flag('tensor-parallel-size', v)),
    in: 'every',
    expected: 'FAIL',
    why: 'more than the GPUs of the pod, or no divisor of the heads (32 and 64)',
  },
  {
    what: '--dtype, --quantization',
    changes: [...each(['float128'], (v) => flag('dtype', v)), ...each(['foo'], (v) => flag('quantization', v))],
    in: 'every',
    expected: 'FAIL',
    why: 'no such choice',
  },
  {
    what: 'the path of the readiness probe',
    changes: set(container('/readinessProbe/httpGet/path'), ['/nowhere']),
    in: 'every',
    expected: (_, scenario) => (scenario === NO_PROBES ? 'PASS' : 'FAIL'),
    why: '404: no pod gets Ready (where flags alone are judged, probes are left out)',
  },
  {
    what: 'the port of the readiness probe',
    changes: set(container('/readinessProbe/httpGet/port'), [9999]),
    in: 'every',
    expected: (_, scenario) => (scenario === NO_PROBES ? 'PASS' : 'FAIL'),
    why: 'nobody listens there: no pod gets Ready',
  },
  {
    what: 'the startup probe asks elsewhere',
    changes: [
      ...set(container('/startupProbe/httpGet/path'), ['/nowhere']),
      ...set(container('/startupProbe/httpGet/port'), [9999]),
      ...set(container('/startupProbe/httpGet/scheme'), ['HTTPS']),
    ],
    in: 'every',
    expected: (_, scenario) => (scenario === NO_PROBES ? 'PASS' : 'FAIL'),
    why: 'it never succeeds, and the container is killed over and over',
  },
  {
    what: 'the port the container names',
    changes: set(container('/ports/0/containerPort'), [9000]),
    in: 'every',
    expected: (_, scenario) => (scenario === NO_PROBES ? 'PASS' : SCALED.includes(scenario) ? 'untriable' : 'FAIL'),
    why: 'probes of the port http go to 9000, where nobody listens; nor do scrapes find what an autoscaler looks at',
  },
  {
    what: 'the selector of the Service',
    changes: set(own('Service', '/spec/selector/app'), ['nobody']),
    in: 'every',
    except: ['absent-series-is-not-idle', 'metrics-outage'],
    expected: (_, scenario) => (QUIET.includes(scenario) ? 'PASS' : 'untriable'),
    why: 'no request reaches a pod; where none is sent, nothing is harmed',
  },
  {
    what: 'the targetPort of the Service',
    changes: set(own('Service', '/spec/ports/0/targetPort'), [9999]),
    in: 'every',
    except: ['absent-series-is-not-idle', 'metrics-outage'],
    expected: (_, scenario) => (QUIET.includes(scenario) ? 'PASS' : 'untriable'),
    why: 'every request is refused; where none is sent, nothing is harmed',
  },
  {
    what: 'the labels of the pods',
    changes: set(deployment('/spec/template/metadata/labels/app'), ['chatt']),
    in: 'every',
    expected: 'FAIL',
    why: 'the API server refuses a selector that does not match them',
  },
  {
    what: 'the type of a field',
    changes: set(deployment('/spec/replicas'), ['four', -1]),
    in: 'every',
    expected: 'FAIL',
    why: 'the API server refuses it',
  },
  {
    what: 'the reference of the image',
    changes: just('with :x behind its tag', (files) => ({
      'deploy.yaml': files['deploy.yaml'].replace(IMAGE, '$&:x'),
      'seatrial.yaml': files['seatrial.yaml'].replace(IMAGE, '$&:x'),
    })),
    in: 'every',
    expected: 'FAIL',
    why: 'no image can be called so',
  },
]
