import { type Edit, edit, type Files, type Plain, REMOVED } from '../edit.ts'
import { config, container, deployment, flag, own, pod } from '../places.ts'
import { each, just, type Row, set } from '../row.ts'

const text = (change: (files: Files) => Files): Edit => change

const reversed = (object: Plain): Plain => Object.fromEntries(Object.entries(object).reverse())

const added = (object: Plain): Edit =>
  edit((platform) => {
    platform.objects.push(object)
    return true
  })

/** What no controller, node or engine looks at, and other spellings of the same. */
export const benign: readonly Row[] = [
  {
    what: 'a label of the Deployment',
    changes: set(deployment('/metadata/labels/team'), ['search']),
    in: 'every',
    expected: 'PASS',
    why: 'nothing selects by it',
  },
  {
    what: 'a label of the pods',
    changes: set(deployment('/spec/template/metadata/labels/tier'), ['gold']),
    in: 'every',
    expected: 'PASS',
    why: 'nothing selects by it',
  },
  {
    what: 'an annotation of the pods',
    changes: set(deployment('/spec/template/metadata/annotations'), [{ 'example.com/note': 'hello' }]),
    in: 'every',
    expected: 'PASS',
    why: 'nobody reads it',
  },
  {
    what: 'an environment variable',
    changes: set(container('/env'), [[{ name: 'TEAM_NAME', value: 'search' }]]),
    in: 'every',
    expected: 'PASS',
    why: 'vLLM does not read it',
  },
  {
    what: 'an unrelated object',
    changes: [
      ...just(
        'ConfigMap',
        added({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' }, data: { a: 'b' } }),
      ),
      ...just(
        'Service',
        added({
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'other' },
          spec: { selector: { app: 'other' }, ports: [{ port: 80 }] },
        }),
      ),
    ],
    in: 'every',
    expected: 'PASS',
    why: 'nothing refers to it',
  },
  {
    what: 'order of documents',
    changes: just(
      'reversed',
      edit((platform) => {
        platform.objects.reverse()
        return true
      }),
    ),
    in: 'every',
    expected: 'PASS',
    why: 'an object may be made before what it refers to',
  },
  {
    what: 'order of keys',
    changes: just(
      'reversed',
      edit((platform) => {
        platform.objects = platform.objects.map(reversed)
        platform.config = reversed(platform.config)
        return true
      }),
    ),
    in: 'every',
    expected: 'PASS',
    why: 'maps have no order',
  },
  {
    what: 'a comment',
    changes: just(
      'before the first line',
      text((files) => ({ ...files, 'deploy.yaml': `# ours\n${files['deploy.yaml']}` })),
    ),
    in: 'every',
    expected: 'PASS',
    why: 'no part of the manifests',
  },
  {
    what: 'a default written out',
    changes: [
      ...set(pod('/restartPolicy'), ['Always']),
      ...set(deployment('/spec/minReadySeconds'), [0]),
      ...set(container('/imagePullPolicy'), ['IfNotPresent']),
      ...set(container('/ports/0/protocol'), ['TCP']),
      ...set(container('/readinessProbe/httpGet/scheme'), ['HTTP']),
      ...set(container('/readinessProbe/successThreshold'), [1]),
    ],
    in: 'every',
    expected: 'PASS',
    why: 'what the API server fills in',
  },
  {
    what: 'spec.revisionHistoryLimit',
    changes: set(deployment('/spec/revisionHistoryLimit'), [2]),
    in: 'every',
    expected: 'PASS',
    why: 'old ReplicaSets hold no pods',
  },
  {
    what: 'the targetPort of the Service by number',
    changes: set(own('Service', '/spec/ports/0/targetPort'), [8000]),
    in: 'every',
    expected: 'PASS',
    why: 'the port that is called http',
  },
  {
    what: 'the port of the Service',
    changes: set(own('Service', '/spec/ports/0/port'), [8080]),
    in: 'every',
    expected: 'PASS',
    why: 'clients ask the Service where it listens',
  },
  {
    what: 'requests for CPU',
    changes: set(container('/resources/requests/cpu'), ['0.5', '500m', '4100m']),
    in: 'every',
    except: ['hpa-on-cpu-blind'],
    expected: 'PASS',
    why: 'every node has many times as much (a CPU metric would be a share of it)',
  },
  {
    what: 'requests for memory',
    changes: set(container('/resources/requests/memory'), ['1Gi', '1073741824']),
    in: 'every',
    expected: 'PASS',
    why: 'every node has many times as much',
  },
  {
    what: 'GPUs as text',
    changes: [...set(container('/resources/limits/nvidia.com~1gpu'), ['8']).map((one) => ({ ...one, to: '"8"' }))],
    in: ['rollout-on-full-gpus', 'liveness-kills-loading', 'bad-model-config'],
    expected: 'PASS',
    why: 'a quantity is the same as text',
  },
  {
    what: 'another spelling of a flag',
    changes: each(['max_model_len'], (name) => (files) => ({
      ...files,
      'deploy.yaml': files['deploy.yaml'].replace('--max-model-len', `--${name}`),
    })),
    in: 'every',
    expected: 'PASS',
    why: 'vLLM takes _ for - in flags',
  },
  {
    what: 'a flag that changes nothing here',
    changes: [...each([true], () => flag('trust-remote-code', true)), ...each([1], (v) => flag('seed', v))],
    in: 'every',
    expected: 'PASS',
    why: 'no figure of the server depends on it',
  },
  {
    what: 'nodes',
    changes: set(config('/nodes/0/count'), [8]),
    in: 'every',
    expected: 'PASS',
    why: 'more room takes nothing away',
  },
  {
    what: 'nodes[].labels',
    changes: set(config('/nodes/0/labels/rack'), ['a1']),
    in: 'every',
    expected: 'PASS',
    why: 'nothing selects by it',
  },
  {
    what: 'registry.bandwidth ±10 %',
    changes: set(config('/registry/bandwidth'), ['180MB/s', '220MB/s', '450MB/s', '550MB/s']),
    in: 'every',
    expected: 'PASS',
    why: 'pulling takes seconds of the minutes that are left (±10 % of 200 and of 500 MB/s, and more of it)',
  },
  {
    what: 'a shorter load time',
    changes: set(config('/models/meta-llama~1Llama-3.1-8B-Instruct/loadTime'), ['55s']),
    in: [
      'drain-with-pdb',
      'node-lost',
      'spot-reclaim',
      'sigterm-cuts-streams',
      'engine-hung-health-ok',
      'xid-device-loss',
    ],
    expected: 'PASS',
    why: 'a shorter start harms nobody',
  },
  {
    what: 'automountServiceAccountToken',
    changes: set(pod('/automountServiceAccountToken'), [false]),
    in: 'every',
    expected: 'PASS',
    why: 'vLLM does not ask the API server',
  },
  {
    what: 'terminationGracePeriodSeconds longer',
    changes: set(pod('/terminationGracePeriodSeconds'), [160, 180]),
    in: 'every',
    except: ['engine-hung-health-ok', 'cold-start-from-zero'],
    expected: 'PASS',
    why: 'a server that is up ends before (one that hangs or loads does not)',
  },
  {
    what: 'enableServiceLinks',
    changes: set(pod('/enableServiceLinks'), [false, REMOVED]),
    in: 'every',
    expected: 'PASS',
    why: 'vLLM does not look for Services in its environment',
  },
]
