import { configJsonSchema } from '../harness/platform/config/json-schema.ts'
import type { Output } from './outputs.ts'

/** `docs/reference/seatrial.schema.json`: what editors check `seatrial.yaml` by. */
export const configSchemaFile = (): Output => ({
  path: 'docs/reference/seatrial.schema.json',
  text: `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
})
