import type { Candidate, FieldChange, RemedyContext } from './remedy.ts'

export const ONE_MORE_NODE: Candidate = { says: 'one more node like those it runs on', moreNodes: 1 }

export const withReplicas = (replicas: number): Candidate => ({
  says: `replicas: ${replicas}`,
  changes: [{ path: 'spec.replicas', value: replicas }],
})

const POD = 'spec.template.spec'

/** Changes that keep a server's replicas on nodes of their own, where there are any. */
export function spread({ deployment, subject }: RemedyContext): Candidate[] {
  const { affinity, topologySpreadConstraints } = deployment.spec.template.spec
  const constraint = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: subject.selector,
  }
  const spreads: FieldChange = {
    path: `${POD}.topologySpreadConstraints`,
    value: [...(topologySpreadConstraints ?? []), constraint],
  }
  const apart: FieldChange[] = affinity?.podAffinity ? [{ path: `${POD}.affinity.podAffinity`, value: undefined }] : []
  return [
    ...(apart.length > 0 ? [{ says: 'without podAffinity', changes: apart }] : []),
    {
      says: `${apart.length > 0 ? 'without podAffinity, ' : ''}topologySpreadConstraints on kubernetes.io/hostname`,
      changes: [...apart, spreads],
    },
  ]
}
