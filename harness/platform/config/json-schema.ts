import { z } from 'zod'
import { configSchema } from './schema.ts'

/** `seatrial.yaml` as JSON Schema, for editors: what may be written, before durations and sizes are read. */
export function configJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })
  return {
    $schema,
    title: 'seatrial.yaml',
    description: 'What Seatrial judges, and what it is told of the cluster, the models and the load.',
    ...schema,
  }
}
