import { REMOVED } from '../edit.ts'
import { config, container, flag, release } from '../places.ts'
import { each, just, type Row, set } from '../row.ts'

const THREE = ['bad-model-config', 'rollout-on-full-gpus', 'liveness-kills-loading']
const MODEL = ['bad-model-config']

/** Flags and GPUs of a 70B model on eight 80 GB cards: 141 GB of weights, 64 heads, 0.33 MB of KV cache a token. */
export const engine: readonly Row[] = [
  {
    what: '--tensor-parallel-size, 8 GPUs',
    changes: each([5, 6, 7, 1], (v) => flag('tensor-parallel-size', v)),
    in: THREE,
    expected: 'FAIL',
    why: '5, 6, 7 do not divide 64 heads; one card does not hold 141 GB',
  },
  {
    what: '--tensor-parallel-size, 8 GPUs',
    changes: each([4], (v) => flag('tensor-parallel-size', v)),
    in: MODEL,
    expected: 'FAIL',
    why: 'four of the eight GPUs are never used',
  },
  {
    what: '--tensor-parallel-size, 8 GPUs',
    changes: each([4], (v) => flag('tensor-parallel-size', v)),
    in: ['rollout-on-full-gpus', 'liveness-kills-loading'],
    expected: 'PASS',
    why: '35 GB a card fit; idle GPUs are not the question',
  },
  {
    what: '--pipeline-parallel-size',
    changes: each([2, 4], (v) => flag('pipeline-parallel-size', v)),
    in: THREE,
    expected: 'FAIL',
    why: '16 and 32 GPUs are not in the pod',
  },
  {
    what: 'GPUs of a pod ±1',
    changes: set(container('/resources/limits/nvidia.com~1gpu'), [7, 9]),
    in: THREE,
    expected: 'FAIL',
    why: 'eight are needed for --tensor-parallel-size=8; no node has nine',
  },
  {
    what: '--max-model-len',
    changes: each([4096, 8192, 32768, 131072, REMOVED], (v) => flag('max-model-len', v)),
    in: MODEL,
    expected: 'PASS',
    why: '43 GB of KV cache for 131,072 tokens fit beside the weights on 640 GB',
  },
  {
    what: '--max-model-len',
    changes: each([256], (v) => flag('max-model-len', v)),
    in: THREE,
    expected: (_, scenario) => (scenario === 'rollout-on-full-gpus' ? 'FAIL' : 'PASS'),
    why: 'the server runs, but refuses the prompts of 600 tokens that clients send',
  },
  {
    what: '--gpu-memory-utilization',
    changes: each([0.5, 0.7, 0.95], (v) => flag('gpu-memory-utilization', v)),
    in: MODEL,
    expected: 'PASS',
    why: '40 GB of a card hold 18 GB of weights and the cache for one long request',
  },
  {
    what: '--gpu-memory-utilization',
    changes: each([0.1, 0.2], (v) => flag('gpu-memory-utilization', v)),
    in: THREE,
    expected: 'FAIL',
    why: '8 or 16 GB of a card do not hold 18 GB of weights',
  },
  {
    what: '--max-num-seqs',
    changes: each([32, 64, 512, 1024], (v) => flag('max-num-seqs', v)),
    in: THREE,
    expected: 'PASS',
    why: 'two requests a second are fewer than 32 at once',
  },
  {
    what: '--enforce-eager, --enable-prefix-caching',
    changes: each(['enforce-eager', 'enable-prefix-caching'], (v) => flag(v, true)),
    in: THREE,
    expected: 'PASS',
    why: 'slower or faster, with a wide margin either way',
  },
  {
    what: '--kv-cache-dtype',
    changes: each(['fp8'], (v) => flag('kv-cache-dtype', v)),
    in: THREE,
    expected: 'PASS',
    why: 'half the cache',
  },
  {
    what: '--dtype',
    changes: each(['bfloat16', 'auto'], (v) => flag('dtype', v)),
    in: THREE,
    expected: 'PASS',
    why: 'what the weights are in',
  },
  {
    what: '--served-model-name',
    changes: each(['chat'], (v) => flag('served-model-name', v)),
    in: [...THREE, 'drain-with-pdb', 'node-lost'],
    expected: 'PASS',
    why: 'clients ask for the name that is served',
  },
  {
    what: 'the version of the image',
    changes: just('v0.32.0', release('v0.32.0')),
    in: [...THREE, 'node-lost', 'drain-with-pdb', 'xid-device-loss'],
    expected: 'PASS',
    why: 'every flag is known to it',
  },
  {
    what: 'nodes[].gpu.count',
    changes: set(config('/nodes/0/gpu/count'), [4]),
    in: THREE,
    expected: 'FAIL',
    why: 'a pod of 8 GPUs fits no node of four',
  },
  {
    what: 'nodes[].gpu.product',
    changes: set(config('/nodes/0/gpu/product'), ['NVIDIA-A100-SXM4-80GB', 'NVIDIA-H200']),
    in: THREE,
    expected: 'PASS',
    why: 'as much memory or more',
  },
]
