import { describe, expect, it } from 'vitest'
import { poolGroups } from '../inputs/pool-groups.ts'
import { describePools, poolProblems } from './karpenter.ts'
import { nodePoolsOf } from './node-pools.ts'
import { podTemplatesOf } from './pod-templates.ts'
import { deployment, load } from './testkit.ts'

const pool = (name: string, requirements: string, { spec = '', ref = 'EC2NodeClass', version = 'v1' } = {}) => `
apiVersion: karpenter.sh/${version}
kind: NodePool
metadata: {name: ${name}}
spec:
  ${spec}
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: ${ref}, name: default}
      requirements: [${requirements}]
---
`
const family = (...names: string[]) =>
  `{key: karpenter.k8s.aws/instance-family, operator: In, values: [${names.join(', ')}]}`

const read = async (text: string) => {
  const platform = await load(`${text}${deployment()}`)
  const [template] = podTemplatesOf(platform.objects.find(({ id }) => id === 'Deployment/chat')!)
  const nodes = poolGroups(platform)
  return { platform, nodes, problems: poolProblems(platform, template!.spec, nodes).map(({ why }) => why) }
}

describe('NodePools', () => {
  it('are none, and then nothing is bought', async () => {
    const { platform, nodes, problems } = await read('')
    expect([nodes, problems, describePools(platform)]).toEqual([[], [], []])
  })

  it('buy the cheapest instance that fits, of the pool with the greatest weight', async () => {
    const { nodes, problems, platform } = await read(
      pool('other', family('p5')) + pool('gpu', family('g6', 'g5'), { spec: 'weight: 10' }),
    )
    expect(problems).toEqual([])
    expect(nodes).toMatchObject([
      { name: 'system', count: 2 },
      { name: 'pool-gpu', nodePool: 'gpu', count: 0, gpu: { product: 'NVIDIA-L4', count: 4 } },
    ])
    expect(nodes[1]!.labels).toMatchObject({
      'node.kubernetes.io/instance-type': 'g6.12xlarge',
      'karpenter.sh/capacity-type': 'spot',
    })
    expect(describePools(platform).join('\n')).toContain('EC2NodeClass default is not simulated')
  })

  it('are in the zones that they name', async () => {
    const zones = '{key: topology.kubernetes.io/zone, operator: In, values: [eu-west-1b, eu-west-1a]}'
    const { platform } = await read(pool('gpu', `${family('g6')}, ${zones}`))
    const offered = nodePoolsOf(platform).pools[0]!.candidates.map(({ zone }) => zone)
    expect([...new Set(offered)].sort()).toEqual(['eu-west-1a', 'eu-west-1b'])
  })

  const refused: [string, string, string][] = [
    ['another version', pool('gpu', family('g6'), { version: 'v1beta1' }), 'only karpenter.sh/v1'],
    ['a fixed number of nodes', pool('gpu', family('g6'), { spec: 'replicas: 3' }), 'static pools are not simulated'],
    ['a cloud nobody knows', pool('gpu', '', { ref: 'OtherNodeClass' }), 'what OtherNodeClass can buy is not known'],
    ['types nobody knows', pool('gpu', family('trn1')), 'no instance type known here meets its requirements'],
    [
      'keys nobody knows',
      pool('gpu', `${family('g6')}, {key: karpenter.k8s.aws/instance-ebs-bandwidth, operator: Gt, values: ["1"]}`),
      'karpenter.k8s.aws/instance-ebs-bandwidth of the instance types is not known',
    ],
    [
      'a schedule that is none',
      pool('gpu', family('g6'), {
        spec: 'disruption: {consolidateAfter: 1m, budgets: [{nodes: "1", schedule: daily, duration: 1h}]}',
      }),
      'the schedule daily cannot be read',
    ],
  ]
  it.each(refused)('refuse %s by name', async (_, text, why) => {
    expect((await read(text)).problems.join()).toContain(why)
  })
})
