import type { Container, Pod } from '../kube/objects.ts'
import type { MetricFamily } from '../metrics/sample.ts'
import type { Clock } from '../world/clock.ts'
import type { RandomStream } from '../world/random.ts'
import type { Us } from '../world/time.ts'

/**
 * What a container runs, in the simulator's eyes. The kubelet starts it, probes it and signals it; it says when it exits.
 * An image is matched to a program by the tier (`vllm` images and `vllm serve` to the vLLM server, others to a plain one).
 */
export interface Program {
  readonly name: string
  start(context: ProgramContext): RunningProgram
}

export interface ProgramContext {
  readonly clock: Clock
  readonly random: RandomStream
  readonly pod: Pod
  readonly container: Container
  /** Ids of the GPUs the kubelet gave this container, in order. */
  readonly devices: readonly string[]
  /** One line on stdout or stderr. */
  log(line: string): void
  /** The main process has ended. Called at most once, and never after SIGKILL. */
  exit(code: number): void
}

/** How a port answers: after a delay with a status, not at all (until the caller gives up), or with a refused connection. */
export type PortAnswer = { kind: 'answer'; status: number; afterUs: Us } | { kind: 'hang' } | { kind: 'refused' }

/** What is posted: `headers` are lines like `Content-Type: application/json`. */
export interface PostRequest {
  readonly path: string
  readonly headers: readonly string[]
  readonly body: string
}

export interface RunningProgram {
  /** An HTTP GET, as a probe sends it. */
  httpGet(port: number, path: string): PortAnswer
  /** The body of what such a GET is answered with now, `/metrics` aside. Undefined: nobody can say. */
  bodyOf?(port: number, path: string): string | undefined
  /**
   * An HTTP POST, as a command in the pod sends it. Its answer is told when it is there: a completion asks the engine. Returns how the caller
   * hangs up. Left out: nobody can say what would answer.
   */
  httpPost?(port: number, request: PostRequest, answered: (answer: PortAnswer) => void): () => void
  /** Whether a TCP connection is accepted. */
  accepts(port: number): boolean
  /** Whether the port speaks TLS. Left out: it answers in whichever way it is asked. */
  speaksTls?(port: number): boolean
  /** SIGTERM begins the program's own shutdown; SIGKILL ends it at once, resetting what is open. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void
  /** Set where the program serves inference requests. */
  readonly inference?: InferenceServer
  /**
   * The metrics it exposes on a port under a path, when asked now. Undefined: it exposes none there. With `wanted`, families
   * of which no sample has such a name may be left out.
   */
  exposition?(port: number, path: string, wanted?: ReadonlySet<string>): readonly MetricFamily[] | undefined
  /** What it has used since it started: CPU in seconds, memory in bytes now. Left out: next to nothing. */
  usage?(): { readonly cpuSeconds: number; readonly memoryBytes: number }
  /** What it has done with its GPUs, the same on each. Left out: nothing. */
  gpuUsage?(): GpuUsage
  /** Runs a command in the container (exec probes, hooks). Undefined: this program cannot say what it would do. */
  exec?(command: readonly string[]): { exitCode: number; afterUs: Us } | undefined
}

/** Seconds since the program started that one GPU spent in each way, and the memory of it that is taken now. */
export interface GpuUsage {
  /** With any kernel running: what «GPU utilisation» measures. */
  readonly busySeconds: number
  /** Of the peak of its tensor cores. */
  readonly tensorSeconds: number
  /** Of the peak of its memory bandwidth. */
  readonly dramSeconds: number
  readonly memoryBytes: number
}

/** One inference request as a client sends it. */
export interface InferenceRequest {
  readonly id: string
  readonly model: string
  readonly promptTokens: number
  /** Tokens it will generate when nothing stops it: the end of the sequence, or the client's max_tokens. */
  readonly outputTokens: number
  /** Hashes of the prompt's leading blocks, for prefix caching: equal hashes at equal positions mean equal tokens. */
  readonly prefixHashes?: readonly number[]
  readonly priority?: number
  readonly stream: boolean
}

/** Told of a request's fate, at the time it happens. Exactly one of `finished` and `failed` is called, once, and nothing after it. */
export interface InferenceObserver {
  /**
   * The head of a streamed answer went out with status 200; from now on it can only be cut. `lastSentAt` tells at any later time when
   * its last byte went out.
   */
  headers?(at: Us, lastSentAt: () => Us): void
  firstToken(at: Us): void
  /** `reason: 'abort'` is a stream the server ended early in good form: a truncated answer under HTTP 200. */
  finished(result: { at: Us; outputTokens: number; reason: 'stop' | 'length' | 'abort' }): void
  /**
   * `'no-endpoints'`: nobody behind the Service; `'refused'`: no connection; `'reset'`: cut off mid-way; `'http'`: an error status.
   * A server says only the last three; the first is the network's.
   */
  failed(failure: {
    at: Us
    kind: 'no-endpoints' | 'refused' | 'reset' | 'http'
    status?: number
    message: string
    /** As a Retry-After header asks. */
    retryAfterUs?: Us
    /** The rule of a proxy on the way that ended it: `HTTPRoute prod/chat spec.rules[0]: request timeout of 15s`. */
    by?: string
  }): void
}

export interface InferenceServer {
  /** Sends a request now. Returns a function by which the client hangs up. */
  submit(port: number, request: InferenceRequest, observer: InferenceObserver): () => void
}
