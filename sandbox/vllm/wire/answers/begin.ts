import { WireError } from '../errors.ts'
import type { GenerationObserver, GenerationRequest } from '../generation.ts'
import type { Serving } from '../serving.ts'

/** Begins a generation of which the answer has begun: what the engine's checks refuse is told to the observer. */
export function begin(
  { engine, clock }: Serving,
  generation: GenerationRequest,
  observer: GenerationObserver,
  check: () => void,
): () => void {
  const refused = refusalOf(check)
  if (refused) {
    observer.failed(refused, clock.now)
    return () => undefined
  }
  return engine.generate(generation, observer)
}

/** What a check throws. */
export function refusalOf(check: () => void): WireError | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof WireError) return error
    throw error
  }
}
