import { describe, expect, it } from 'vitest'
import { H100 } from '../controllers/node-lifecycle/testkit.ts'
import { keyOf } from '../kube/kinds.ts'
import { scripted, testNode, testPod } from './testkit.ts'

const GPU = 'nvidia.com/gpu'

describe('a GPU that fails', () => {
  const run = (xid: number) => {
    const { runs, programFor } = scripted(() => undefined)
    const t = testNode({ node: { gpu: { ...H100, count: 2 } }, programFor })
    const limits = { [GPU]: '1' }
    t.create(testPod({ containers: [{ name: 'a', resources: { limits } }] }))
    t.at(10)
    const gpu = t.node.gpus.find((id) => t.node.holderOf(id))!
    const mend = t.node.failGpu(gpu, xid)
    t.at(40)
    return { t, runs, gpu, mend }
  }

  it('off the bus takes the process with it, for good: no container starts on it, and nothing moves the pod', () => {
    const { t, runs, gpu, mend } = run(79)
    expect(t.nodeObject().status.allocatable[GPU]).toBe('1')
    expect(t.nodeObject().status.capacity[GPU]).toBe('2')
    expect(runs).toHaveLength(1)
    const [status] = t.pod().status.containerStatuses!
    expect(status!.lastState.terminated).toMatchObject({ exitCode: 128, reason: 'StartError' })
    expect(t.events('Failed')[0]?.message).toContain(`nvidia-container-cli: device error: ${gpu}: unknown device`)
    t.at(600)
    expect(t.pod().metadata.deletionTimestamp).toBeUndefined()
    expect(t.nodeObject().status.allocatable[GPU]).toBe('1')
    mend()
    t.at(1000)
    expect(t.nodeObject().status.allocatable[GPU]).toBe('2')
    expect(t.pod().status.containerStatuses![0]!.state.running).toBeDefined()
  })

  it('with a contained error costs the process its life and the device its health; a new process works', () => {
    const { t, runs } = run(94)
    expect(t.nodeObject().status.allocatable[GPU]).toBe('1')
    expect(runs).toHaveLength(2)
    expect(t.pod().status.containerStatuses![0]).toMatchObject({ restartCount: 1, state: { running: {} } })
    expect(t.pod().status.containerStatuses![0]!.lastState.terminated?.exitCode).toBe(1)
  })

  it.each([13, 31, 43, 45, 68, 109])('stays healthy for Xid %i, an error of the application', (xid) => {
    const { t, runs } = run(xid)
    expect(t.nodeObject().status.allocatable[GPU]).toBe('2')
    expect(runs).toHaveLength(2)
  })

  it('tells a program that can lose its engine alone', () => {
    const crashed: string[] = []
    const { programFor } = scripted(({ pod }) => ({ crashEngine: () => crashed.push(keyOf(pod)) }) as never)
    const t = testNode({ node: { gpu: { ...H100, count: 1 } }, programFor })
    t.create(testPod({ containers: [{ name: 'a', resources: { limits: { [GPU]: '1' } } }] }))
    t.at(10)
    t.node.failGpu(t.node.gpus[0]!, 79)
    expect(crashed).toEqual(['default/web'])
    t.at(12)
    expect(t.pod().status.containerStatuses![0]!.state.running).toBeDefined()
  })

  it('is refused when it or the Xid is unknown', () => {
    const t = testNode({ node: { gpu: { ...H100, count: 1 } } })
    expect(() => t.node.failGpu('GPU-none', 79)).toThrow(RangeError)
    expect(() => t.node.failGpu(t.node.gpus[0]!, 7)).toThrow(/not known/)
  })
})
