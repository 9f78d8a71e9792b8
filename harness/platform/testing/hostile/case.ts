/** Something nobody should bring, and somebody will. */
export interface HostileCase {
  readonly name: string
  /** What is read from standard input; bytes where it is no text. Made when it is asked for: some are large. */
  readonly input: () => string | Uint8Array
  /** `seatrial.yaml`, where there is one. */
  readonly config?: string
  /**
   * `refused`: an error with a place, which the user can mend. `taken`: legitimate, if strange; it must be judged in bounded time.
   * `either`: one of the two.
   */
  readonly expect: 'refused' | 'taken' | 'either'
  /** Refused without a line: it is the whole input that is wrong. */
  readonly noLine?: true
}

export const hostile = (
  name: string,
  input: string | Uint8Array | (() => string | Uint8Array),
  more: Partial<HostileCase> = {},
): HostileCase => ({
  name,
  input: typeof input === 'function' ? input : () => input,
  expect: 'refused',
  ...more,
})

export const taken = (name: string, input: string | (() => string)): HostileCase =>
  hostile(name, input, { expect: 'taken' })
export const either = (name: string, input: string | (() => string)): HostileCase =>
  hostile(name, input, { expect: 'either' })

/** A platform that is well: one server that fits its node. */
export const WELL = `apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  replicas: 1
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.11.0
          args: ["--model=Qwen/Qwen3-8B", "--max-model-len=4096"]
          ports: [{name: http, containerPort: 8000}]
          readinessProbe: {httpGet: {path: /health, port: http}}
          resources: {limits: {nvidia.com/gpu: 1}}
---
apiVersion: v1
kind: Service
metadata: {name: chat, labels: {app: chat}}
spec:
  selector: {app: chat}
  ports: [{name: http, port: 80, targetPort: http}]
`
/** What it stands on, so that nothing has to be guessed. */
export const WELL_CONFIG = `nodes:
  - {name: gpu, count: 1, cpu: "32", memory: 256Gi, gpu: {product: NVIDIA-H100-80GB-HBM3, count: 2}}
models: {Qwen/Qwen3-8B: {loadTime: 30s}}
images: {"vllm/vllm-openai:v0.11.0": {size: 1GB}}
registry: {bandwidth: 1GB/s}
workloads: {chat: {arrival: {rate: 1/s}, promptTokens: 100, outputTokens: 20}}
`
/** It with another document. */
export const and = (document: string): string => `${WELL}---\n${document}\n`
