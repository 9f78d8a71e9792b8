import { findingJsonSchema } from '../harness/verdict/finding-schema.ts'
import type { Output } from './outputs.ts'

/** `docs/reference/finding.schema.json`: what programs may rely on in the findings of `verify --json`. */
export const findingSchemaFile = (): Output => ({
  path: 'docs/reference/finding.schema.json',
  text: `${JSON.stringify(findingJsonSchema(), null, 2)}\n`,
})
