import type * as o from '../../kube/objects.ts'
import { node } from '../testing.ts'
import type { Draw } from './draw.ts'

/** Nodes `n0`, `n1` … with taints, labels that are not always there, and images. On `roomy` ones most pods fit. */
export const drawNodes = (draw: Draw, count: number, roomy: boolean): o.Node[] =>
  draw.list(count, (i) => drawNode(draw, `n${i}`, roomy))

function drawNode(draw: Draw, name: string, roomy: boolean): o.Node {
  return node(name, {
    cpu: draw.pick(roomy ? ['64', '96', '192'] : ['4', '8', '64', '3920m']),
    memory: draw.pick(roomy ? ['512Gi', '2Ti'] : ['8Gi', '32Gi', '512Gi', '7934Mi']),
    pods: draw.pick(roomy ? ['110'] : ['110', '110', '3']),
    labels: draw.parts({
      'topology.kubernetes.io/zone': [0.7, () => draw.pick(['z1', 'z2', 'z3'])],
      'topology.kubernetes.io/region': [0.3, () => 'eu'],
      rack: [0.8, () => draw.pick(['r1', 'r2', 'r3'])],
      gpu: [0.4, () => 'h100'],
      mem: [0.6, () => draw.pick(['40', '80', 'many', '007', '9223372036854775808'])],
    }) as Record<string, string>,
    allocatable: draw.parts({
      'nvidia.com/gpu': [roomy ? 0.9 : 0.6, () => draw.pick(roomy ? ['8', '16'] : ['8', '8', '2', '0'])],
      'example.com/nic': [0.3, () => '2'],
      'ephemeral-storage': [0.5, () => '100Gi'],
      'hugepages-2Mi': [0.2, () => '32Mi'],
    }) as Record<string, string>,
    ...draw.parts({
      taints: [roomy ? 0.2 : 0.25, () => draw.list(draw.pick([1, 1, 2]), () => drawTaint(draw))],
      unschedulable: [roomy ? 0.03 : 0.1, () => true],
      images: [0.4, () => draw.list(draw.pick([1, 1, 2]), () => drawImage(draw))],
    }),
  })
}

export const drawTaint = (draw: Draw): o.Taint =>
  draw.pick<o.Taint>([
    { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
    { key: 'gpu', effect: 'NoExecute' },
    { key: 'soft', effect: 'PreferNoSchedule' },
    { key: 'soft', value: '1', effect: 'PreferNoSchedule' },
    { key: 'level', value: '3', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
  ])

const drawImage = (draw: Draw) =>
  draw.pick([
    { names: ['img-a:latest'], sizeBytes: 300e6 },
    { names: ['img-b:1', 'mirror/img-b:1'], sizeBytes: 900e6 },
    { names: ['vllm/x:v1', 'vllm/x@sha256:0'], sizeBytes: 12e9 },
    { names: ['reg.local:5000/y:latest'], sizeBytes: 5e6 },
  ])
