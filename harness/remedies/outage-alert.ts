import type { Manifest } from '../platform/platform.ts'
import { type AddedObjects, type Diagnosis, type RemedyContext, remedy } from './remedy.ts'

/** Alerts, and none that tells of an autoscaler without metrics. */
export const outageAlert = remedy({
  causes: ['outage-not-alerted'],
  diagnose(context): Diagnosis | undefined {
    const { scaling, related, exporters } = context
    const [rules] = related.alertRules
    if (!scaling) return undefined
    const hpa = hpaName(scaling.object.manifest)
    const where = rules ? { object: rules.id, path: 'spec.groups' } : { object: scaling.object.id, path: 'spec' }
    const says = `none of the alerts tells that ${scaling.object.manifest.kind} ${scaling.object.manifest.metadata.name} gets no metrics`
    if (!rules || !exporters.has('kube-state-metrics'))
      return {
        ...where,
        says: `${says}; kube-state-metrics would tell it (kube_horizontalpodautoscaler_status_condition): write metrics.prometheus.exporters where the cluster has it`,
        candidates: [],
      }
    return {
      ...where,
      says,
      candidates: [
        {
          says: `an alert on ScalingActive=False of HorizontalPodAutoscaler ${hpa} for 5m`,
          adds: alertOn(hpa, context, rules.manifest),
        },
      ],
    }
  },
})

/** As KEDA calls the one it makes. */
function hpaName({ kind, metadata, ...manifest }: Manifest): string {
  if (kind !== 'ScaledObject') return metadata.name
  const spec = manifest['spec'] as { advanced?: { horizontalPodAutoscalerConfig?: { name?: string } } } | undefined
  return spec?.advanced?.horizontalPodAutoscalerConfig?.name ?? `keda-hpa-${metadata.name}`
}

/** Labels and namespace are those of a rule that is loaded, so that this one is. */
function alertOn(hpa: string, { subject }: RemedyContext, { apiVersion, metadata }: Manifest): AddedObjects {
  const name = `${subject.name}-autoscaler-alerts`
  const { namespace, labels } = metadata
  return {
    name,
    objects: [
      {
        apiVersion,
        kind: 'PrometheusRule',
        metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(labels ? { labels } : {}) },
        spec: {
          groups: [
            {
              name,
              rules: [
                {
                  alert: 'AutoscalerWithoutMetrics',
                  expr: `kube_horizontalpodautoscaler_status_condition{horizontalpodautoscaler="${hpa}", condition="ScalingActive", status="false"} == 1`,
                  for: '5m',
                  labels: { severity: 'warning' },
                  annotations: { summary: `HorizontalPodAutoscaler ${hpa} gets no metrics: nothing scales.` },
                },
              ],
            },
          ],
        },
      },
    ],
  }
}
