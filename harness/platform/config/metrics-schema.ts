import { z } from 'zod'
import { parsed, positive, text } from './figures.ts'
import { parseTime } from './units.ts'

const interval = parsed(positive(parseTime))

const scrape = z.strictObject({
  /** Labels of the pods. */
  selector: z.record(z.string(), z.string()),
  namespace: text.optional(),
  /** A container port's name or number. */
  port: z.union([text, z.int().min(1).max(65535)]),
  path: text.default('/metrics'),
  interval: interval.optional(),
})

const adapterRule = z.record(z.string(), z.unknown())
/** A list as in prometheus-adapter's config.yaml, or the map of its Helm chart's values. */
const adapterRules = z.union([
  z.array(adapterRule),
  z.looseObject({ custom: z.array(adapterRule).optional(), external: z.array(adapterRule).optional() }),
])

export const EXPORTERS = ['kube-state-metrics', 'cadvisor', 'dcgm'] as const

/** What is installed outside the manifests and brings metrics to autoscalers. */
export const metrics = z.strictObject({
  metricsServer: z.boolean().optional(),
  prometheus: z
    .strictObject({
      /** It scrapes pods and Services with prometheus.io/scrape: "true". */
      annotations: z.boolean().optional(),
      interval: interval.optional(),
      scrapes: z.array(scrape).optional(),
      exporters: z.array(z.enum(EXPORTERS)).optional(),
    })
    .optional(),
  adapter: z
    .strictObject({
      rules: adapterRules.optional(),
      externalRules: z.array(adapterRule).optional(),
      relistInterval: interval.optional(),
    })
    .optional(),
})
