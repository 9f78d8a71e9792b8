import { type ControllerContext, type ControllerSpec, controller, watching } from '../../controllers/controller.ts'
import { HorizontalPodAutoscaler, keyOf } from '../../kube/kinds.ts'
import type { MetricsClient } from '../metrics-client.ts'
import { emptyMemory, type Memory } from './memory.ts'
import { type HpaOptions, hpaDefaults } from './options.ts'
import { Pass } from './pass.ts'

/**
 * Sets the replicas of what HorizontalPodAutoscalers aim at, by metrics, every sync period: an HPA's first pass comes one
 * period after its creation. Follows pkg/controller/podautoscaler/horizontal.go (1.36).
 */
export function horizontalPodAutoscaler(
  given: Partial<HpaOptions> & { readonly metrics: MetricsClient },
): ControllerSpec {
  const options: HpaOptions = { ...hpaDefaults, ...given }
  const memories = new WeakMap<ControllerContext, Memory>()
  return controller({
    name: 'horizontal-pod-autoscaler',
    workers: options.workers,
    watches: [
      (context) => {
        memories.set(context, emptyMemory())
      },
      watching(HorizontalPodAutoscaler, (context) => {
        const { selectors } = memories.get(context)!
        // whatever happens to an HPA, it waits for its turn: a key that waits already keeps the earlier one
        const enqueue = (hpa: { metadata: { namespace?: string; name: string } }) => {
          const key = keyOf(hpa)
          context.queue.addAfter(key, options.syncPeriod)
          if (!selectors.has(key)) selectors.set(key, undefined)
        }
        return { added: enqueue, updated: (_, hpa) => enqueue(hpa), deleted: (hpa) => selectors.delete(keyOf(hpa)) }
      }),
    ],
    *reconcile(key, context) {
      const memory = memories.get(context)!
      const hpa = context.kube.get(HorizontalPodAutoscaler, key)
      if (!hpa) return forget(memory, key)
      const failure = yield* new Pass({ hpa, key, context, memory, options }).run()
      if (failure !== undefined)
        context.world.journal.append({ type: 'note', by: 'horizontal-pod-autoscaler', about: key, text: failure })
      context.queue.addAfter(key, options.syncPeriod)
    },
  })
}

function forget({ recommendations, scaleUps, scaleDowns }: Memory, key: string): void {
  recommendations.delete(key)
  scaleUps.delete(key)
  scaleDowns.delete(key)
}
