import type { Definition, KubernetesSchema } from '../../fixtures/kubernetes-schema/schema.ts'
import { suggest } from './suggest.ts'

/** What to do about a field Kubernetes does not know: the name or the place that was probably meant. */
export function fieldHint(
  key: string,
  definition: Definition,
  parents: readonly Definition[],
  schema: KubernetesSchema,
): string {
  const names = Object.keys(definition.fields)
  const sameLetters = names.find((name) => name.toLowerCase() === key.toLowerCase())
  if (sameLetters) return `Did you mean "${sameLetters}"?`
  const deeper = within(key, definition, schema)
  if (deeper) return `It belongs one level deeper, in "${deeper}": check the indentation.`
  if (parents.some((parent) => Object.hasOwn(parent.fields, key)))
    return 'It belongs to an enclosing level: check the indentation.'
  const near = suggest(key, names)
  if (near) return `Did you mean "${near}"?`
  return `Remove it. Fields here: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}.`
}

/** The field of a definition whose own fields have the key. */
function within(key: string, definition: Definition, schema: KubernetesSchema): string | undefined {
  for (const [name, type] of Object.entries(definition.fields)) {
    const inner = name !== 'status' && type.startsWith('#') ? schema.definitions[type.slice(1)] : undefined
    if (inner && Object.hasOwn(inner.fields, key)) return name
  }
  return undefined
}
