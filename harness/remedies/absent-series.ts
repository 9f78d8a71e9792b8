import type { Candidate, Diagnosis, RelatedObject } from './remedy.ts'
import { remedy } from './remedy.ts'

interface Trigger {
  readonly type?: string
  readonly metadata?: { readonly query?: string; readonly ignoreNullValues?: string }
}

/** A KEDA trigger that takes a query without a result for zero. */
export const absentSeries = remedy({
  causes: ['absent-series-taken-for-idle', 'outage-taken-for-idle'],
  diagnose({ related }): Diagnosis | undefined {
    const scaler = related.scalers.find(({ manifest }) => manifest.kind === 'ScaledObject')
    const triggers = scaler ? triggersOf(scaler) : []
    const index = triggers.findIndex(({ type }) => type === 'prometheus')
    const metadata = triggers[index]?.metadata
    if (!scaler || !metadata) return undefined
    const path = `spec.triggers[${index}].metadata`
    const zero = ZERO.exec(metadata.query ?? '')
    if (zero)
      return {
        object: scaler.id,
        path: `${path}.query`,
        says: `${zero[0].trim()} makes a series that is missing a load of zero`,
        candidates: [
          {
            says: `the query without ${zero[0].trim()}, ignoreNullValues: "false"`,
            changes: [
              { object: scaler.id, path: `${path}.query`, value: metadata.query!.replace(ZERO, '').trim() },
              { object: scaler.id, path: `${path}.ignoreNullValues`, value: 'false' },
            ],
          },
        ],
      }
    return {
      object: scaler.id,
      path: `${path}.ignoreNullValues`,
      says: 'a query without a result counts as zero',
      candidates: [notIgnored(scaler, triggers)],
    }
  },
})

const ZERO = /\s+or\s+(on\s*\(\s*\)\s*)?vector\(\s*0\s*\)/

const triggersOf = ({ manifest }: RelatedObject): readonly Trigger[] =>
  ((manifest['spec'] as { triggers?: Trigger[] } | undefined)?.triggers ?? []) as readonly Trigger[]

const notIgnored = ({ id }: RelatedObject, triggers: readonly Trigger[]): Candidate => ({
  says: 'ignoreNullValues: "false"',
  changes: triggers.flatMap(({ type }, i) =>
    type === 'prometheus'
      ? [{ object: id, path: `spec.triggers[${i}].metadata.ignoreNullValues`, value: 'false' }]
      : [],
  ),
})
