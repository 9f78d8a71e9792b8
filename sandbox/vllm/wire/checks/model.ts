import { WireError } from '../errors.ts'
import type { LoraAdapter, Serving } from '../serving.ts'

/** The adapter a request names; undefined for the base model. Throws 404. */
// follows vllm/entrypoints/serve/engine/serving.py (_check_model)
export function checkModel(name: string | undefined, { model }: Serving): LoraAdapter | undefined {
  if (name === undefined || name === '' || model.names.includes(name)) return undefined
  const adapter = model.loras.get(name)
  if (adapter !== undefined) return adapter
  throw new WireError(
    404,
    'NotFoundError',
    `The model \`${name}\` does not exist. Valid aliases: ${model.names.join(', ')}.`,
    'model',
  )
}

/** Refuses where the engine is gone. */
// follows vllm/entrypoints/generate/base/serving.py (_preflight)
export function checkEngine({ engineState }: Serving): void {
  if (engineState === 'dead')
    throw new WireError(
      500,
      'InternalServerError',
      'EngineCore encountered an issue. See stack trace (above) for the root cause.',
    )
  if (engineState === 'shut-down')
    throw new WireError(500, 'InternalServerError', 'cannot schedule new futures after shutdown', null, {
      unhandled: true,
    })
}
