import { keyOf, Pod } from '../sandbox/kube/kinds.ts'
import type * as o from '../sandbox/kube/objects.ts'
import { isReady } from '../sandbox/kube/pods.ts'
import { selects } from '../sandbox/kube/selects.ts'
import type { ObjectsView } from './objects-view.ts'

/** What a trial judges: one inference server's workload. */
export interface Subject {
  readonly kind: string
  /** `namespace/name`. */
  readonly key: string
  readonly namespace: string
  readonly name: string
  /** The container that runs the server. */
  readonly container: string
  readonly selector: o.LabelSelector
  /** A probe that is answered as soon as the server serves. */
  readonly healthProbe: {
    readonly httpGet: { readonly path: string; readonly port: number; readonly scheme?: 'HTTPS' }
    readonly periodSeconds: number
  }
  /** GPUs one pod requests. */
  readonly gpus: number
  /** GPUs its server uses: tensor × pipeline × data parallel; undefined when its flags cannot be read. */
  readonly worldSize: number | undefined
  /** The Service through which clients reach it, if there is one. */
  readonly service?: { readonly key: string; readonly port: number }
}

/** Whether a pod is one of the subject's. */
export const isOf = (subject: Subject, pod: o.Pod): boolean =>
  (pod.metadata.namespace ?? '') === subject.namespace && selects(subject.selector, pod.metadata.labels)

export const podsOf = (subject: Subject, view: ObjectsView): o.Pod[] =>
  view.list(Pod).filter((pod) => isOf(subject, pod))

/** How many of the subject's pods are Ready and not on their way out. */
export const readyPods = (subject: Subject, view: ObjectsView): number =>
  podsOf(subject, view).filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp).length

export const podName = (pod: o.Pod): string => `Pod ${keyOf(pod)}`
