import { models } from '../../../fixtures/models/index.ts'
import { modelById } from '../../../fixtures/models/lookup.ts'
import type { ModelSpec } from '../../../fixtures/models/model.ts'
import { configSource, type SeatrialConfig } from '../config/config.ts'
import { PlatformError } from '../errors.ts'
import { suggest } from '../suggest.ts'

/** What is known of a model by a name: what `seatrial.yaml` describes or calls the same as another, or a public one. */
export const specNamed = (config: SeatrialConfig | undefined, name: string): ModelSpec | undefined =>
  specIn(config, name) ?? modelById(name)

/** The same, only as far as `seatrial.yaml` itself says. */
export function specIn(config: SeatrialConfig | undefined, name: string): ModelSpec | undefined {
  const model = Object.hasOwn(config?.models ?? {}, name) ? config!.models![name] : undefined
  if (model?.spec) return model.spec as ModelSpec
  const same = model?.sameAs
  if (same === undefined) return undefined
  const other = Object.hasOwn(config!.models!, same) ? (config!.models![same]!.spec as ModelSpec) : undefined
  return other ?? modelById(same)
}

/** `sameAs` that names no model anybody knows. */
export function unknownSameAs(config: SeatrialConfig | undefined): PlatformError[] {
  return Object.entries(config?.models ?? {}).flatMap(([name, { sameAs, spec }]) => {
    if (sameAs === undefined || spec || specIn(config, name)) return []
    const described = Object.entries(config!.models!).flatMap(([key, model]) => (model.spec ? [key] : []))
    const near = suggest(sameAs, [...models.map(({ id }) => id), ...described])
    const short = configSource(config!, ['models', name])
    const position = configSource(config!, ['models', name, 'sameAs'])
    return [
      new PlatformError('BAD_CONFIG', `models: ${name} is said to be ${sameAs}, of which nothing is known`, {
        why: 'Its memory and its speed follow from the shape of the model.',
        fix: near
          ? `Did you mean "${near}"?`
          : `Describe it: models: { ${JSON.stringify(name)}: { spec: { … } } }, with the figures of its config.json.`,
        at: position.absent ? short : position,
      }),
    ]
  })
}

/**
 * The public model that a path or the names clients use point to: `/data/meta-llama/Llama-3.1-8B-Instruct`, or a server's name
 * `llama-3.1-8b-instruct`. Only to be proposed: a fine-tune may be called the same.
 */
export function likelyModel(names: readonly string[]): string | undefined {
  for (const name of names) {
    const parts = name.split('/').filter((part) => part !== '')
    const whole = modelById(parts.slice(-2).join('/'))
    if (whole) return whole.id
    const last = bare(parts.at(-1) ?? '')
    const called = models.filter(({ id }) => last !== '' && bare(id.slice(id.indexOf('/') + 1)) === last)
    if (called.length === 1) return called[0]!.id
  }
  return undefined
}

const bare = (name: string): string =>
  name
    .toLowerCase()
    .replace(/^meta-/, '')
    .replace(/[^a-z0-9]/g, '')
