import { describe, expect, it } from 'vitest'
import type { Container } from '../../sandbox/kube/objects.ts'
import { findFlag, setFlag } from './flags.ts'

const container = (fields: Partial<Container>): Container => ({
  name: 'vllm',
  image: 'vllm/vllm-openai:v0.11.0',
  imagePullPolicy: 'IfNotPresent',
  resources: {},
  ...fields,
})
const TP = ['--tensor-parallel-size', '-tp']

describe('flags in a container', () => {
  it.each([
    [{ args: ['--model=m', '--tensor-parallel-size=6'] }, { field: 'args', index: 1, form: 'equals' }],
    [{ command: ['vllm', 'serve', 'm', '--tensor_parallel_size', '6'] }, { field: 'command', index: 3, form: 'alone' }],
    [{ command: ['vllm', 'serve', 'm', '-tp', '6'] }, { field: 'command', index: 3, form: 'alone' }],
    [{ args: ['vllm serve m --tensor-parallel-size 6 --port 80'] }, { field: 'args', index: 0, form: 'script' }],
    [{ args: ['--model=m'] }, undefined],
  ])('%j', (fields, place) => expect(findFlag(container(fields), TP)).toEqual(place))

  it.each([
    [{ args: ['--model=m', '-tp=6'] }, '8', ['--model=m', '-tp=8']],
    [{ args: ['-tp', '6', '--x'] }, '8', ['-tp', '8', '--x']],
    [{ args: ['-tp', '6', '--x'] }, undefined, ['--x']],
    [{ args: ['vllm serve m -tp 6 --port 80'] }, '8', ['vllm serve m --tensor-parallel-size 8 --port 80']],
    [{ args: ['vllm serve m -tp 6 --port 80'] }, undefined, ['vllm serve m  --port 80']],
    [{ args: ['--model=m'] }, '8', ['--model=m', '--tensor-parallel-size=8']],
    [{ args: ['vllm serve m'] }, '8', ['vllm serve m --tensor-parallel-size 8']],
  ])('sets %j to %s', (fields, value, args) =>
    expect(setFlag(container(fields), 'c', TP, value)).toEqual({ path: 'c.args', value: args }),
  )

  it('changes nothing to take away a flag that is not there', () => {
    expect(setFlag(container({ args: ['--model=m'] }), 'c', TP, undefined)).toBeUndefined()
  })
})
