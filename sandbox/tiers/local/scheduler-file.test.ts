import { expect, it } from 'vitest'
import { merged } from './scheduler-file.ts'

const HEAD = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' }

it('the schedulers become profiles of one, which keeps that of the cluster', () => {
  const packing = { ...HEAD, podMaxBackoffSeconds: 20, profiles: [{ schedulerName: 'packing' }] }
  const spreading = {
    ...HEAD,
    podMaxBackoffSeconds: 30,
    podInitialBackoffSeconds: 2,
    profiles: [{ schedulerName: 'spreading' }],
  }
  expect(merged([packing, spreading], '/k')).toEqual({
    ...HEAD,
    podMaxBackoffSeconds: 20,
    podInitialBackoffSeconds: 2,
    profiles: [{ schedulerName: 'default-scheduler' }, { schedulerName: 'packing' }, { schedulerName: 'spreading' }],
    clientConnection: { kubeconfig: '/k' },
    leaderElection: { leaderElect: false },
  })
})

it('a configuration without a profile is that of the cluster’s own scheduler', () => {
  expect(merged([{ ...HEAD, percentageOfNodesToScore: 100 }], '/k')['profiles']).toEqual([
    { schedulerName: 'default-scheduler' },
  ])
})
