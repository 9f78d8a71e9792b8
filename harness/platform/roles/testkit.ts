import { loadPlatform } from '../load.ts'
import type { Platform } from '../platform.ts'

/** Manifests of a server `chat`, for tests. */
export const load = (text: string): Promise<Platform> => loadPlatform({ paths: ['-'], stdin: text, cwd: '/nowhere' })

export const pod = (container = '', spec = '') => `
    metadata: {labels: {app: chat, tier: gpu}}
    spec:
${spec}      containers:
        - name: proxy
          image: envoyproxy/envoy:v1.31
        - name: vllm
          image: vllm/vllm-openai:v0.32.0
          args: [--model, meta-llama/Llama-3.1-8B-Instruct]
          ports: [{name: http, containerPort: 8000}]
          resources: {limits: {nvidia.com/gpu: 2}}
${container}`

export const deployment = (container = '', spec = '') =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: chat}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: chat}}\n  template:${pod(container, spec)}`

export const SERVICE =
  'apiVersion: v1\nkind: Service\nmetadata: {name: chat-svc}\nspec:\n  selector: {app: chat}\n  ports: [{port: 9, name: other, targetPort: 9}, {port: 80, name: web, targetPort: http}]\n'
