import type { Task } from '../../../world/actor.ts'
import type { ExternalValue } from '../value.ts'

/** A trigger made ready to be asked. */
// follows pkg/scalers/scaler.go
export interface Scaler {
  /** Go's type name, which events and logs show where a trigger has no name. */
  readonly typeName: string
  readonly metricSpec: MetricSpec
  /** The metric's value and whether it calls for replicas. Throws a KedaError. */
  measure(): Task<Measured>
}

export interface Measured {
  readonly values: readonly ExternalValue[]
  readonly active: boolean
}

/** Entries of an HPA's `spec.metrics` that KEDA writes. */
export type MetricSpec =
  | { readonly type: 'External'; readonly external: { metric: ExternalMetric; target: MetricTarget } }
  | { readonly type: 'Resource'; readonly resource: { name: 'cpu' | 'memory'; target: MetricTarget } }
  | {
      readonly type: 'ContainerResource'
      readonly containerResource: { name: 'cpu' | 'memory'; container: string; target: MetricTarget }
    }

export interface ExternalMetric {
  readonly name: string
  readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> }
}

export interface MetricTarget {
  readonly type: 'AverageValue' | 'Value' | 'Utilization'
  readonly averageValue?: string
  readonly value?: string
  readonly averageUtilization?: number
}

export const metricNameOf = (triggerIndex: number, name: string): string => `s${triggerIndex}-${name}`
