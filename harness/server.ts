import type { ModelSpec } from '../fixtures/models/model.ts'

/** What the flags of an inference server come to on its GPUs, as far as remedies need it. */
export interface Server {
  readonly model: ModelSpec | undefined
  /** The name clients send for it. */
  readonly servedModelName: string
  /** On which it listens. */
  readonly port: number
  /** Whether it speaks TLS there. */
  readonly tls: boolean
  readonly tensorParallelSize: number
  readonly pipelineParallelSize: number
  readonly dataParallelSize: number
  /** Requests and tokens a step takes at most, where it runs. */
  readonly step: { readonly requests: number; readonly tokens: number } | undefined
  /** Seconds it lets answers go on after SIGTERM. */
  readonly shutdownTimeoutSeconds: number
  /** Flags its version knows, with their dashes. */
  readonly knownFlags: readonly string[]
  /** Why it does not start: a code of the memory plan or of the command line, the flag at fault and vLLM's own words. */
  readonly refusal?: { readonly code: string; readonly flag?: string; readonly message: string }
}
