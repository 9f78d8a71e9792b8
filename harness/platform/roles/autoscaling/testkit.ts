import { parseConfig } from '../../config/parse.ts'
import { LIMITS } from '../../limits.ts'
import { loadPlatform } from '../../load.ts'
import type { Platform } from '../../platform.ts'
import { findVllmServers } from '../inference-servers.ts'
import type { SignalFinding } from './findings.ts'
import { scalingOf } from './scaling.ts'
import { signalFindings } from './signals.ts'

/** A vLLM Deployment `chat` of a version, its Service, and whatever else, with a seatrial.yaml. */
export async function platformOf(
  documents: readonly string[],
  { version = '0.32.0', args = '', config = '' } = {},
): Promise<Platform> {
  const stdin = [deployment(version, args), SERVICE, ...documents].join('\n---\n')
  const platform = await loadPlatform({ paths: ['-'], stdin, cwd: '/nowhere' })
  if (config === '') return platform
  const parsed = parseConfig({ file: 'seatrial.yaml', text: config }, LIMITS)
  if (!parsed.config) throw parsed.errors[0]
  return { ...platform, config: parsed.config }
}

const deployment = (version: string, args: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: chat, namespace: llm}
spec:
  replicas: 2
  selector: {matchLabels: {app: chat}}
  template:
    metadata:
      labels: {app: chat, model: llama3-8b}
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v${version}
          args: [--model, meta-llama/Llama-3.1-8B-Instruct${args}]
          ports: [{name: container-port, containerPort: 8000}]
          resources: {limits: {nvidia.com/gpu: 1}}`

const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: chat, namespace: llm, labels: {app: chat, environment: prod}}
spec:
  selector: {app: chat}
  ports: [{name: service-port, port: 80, targetPort: container-port}]`

export const SERVICE_MONITOR = `apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: chat, namespace: llm, labels: {release: kube-prom-stack}}
spec:
  selector: {matchLabels: {app: chat}}
  namespaceSelector: {matchNames: [llm]}
  endpoints: [{port: service-port, path: /metrics, interval: 15s}]`

export const scaledObject = (triggers: string, more = '') => `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: chat, namespace: llm}
spec:
  scaleTargetRef: {name: chat}
  minReplicaCount: 0
  maxReplicaCount: 8
${more}  triggers:
${triggers}`

export const prometheusTrigger = (
  query: string,
  address = 'http://prometheus-operated.monitoring.svc.cluster.local:9090',
) => `    - type: prometheus
      metadata:
        serverAddress: ${address}
        query: '${query}'
        threshold: "5"`

export const hpa = (metrics: string) => `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: chat, namespace: llm}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}
  minReplicas: 1
  maxReplicas: 6
  metrics:
${metrics}`

/** What is found of the platform's first server and its autoscaler. */
export function findingsOf(platform: Platform): SignalFinding[] {
  const server = findVllmServers(platform).find(({ object }) => object.manifest.metadata.name === 'chat')!
  return signalFindings(platform, server, scalingOf(platform, server)!)
}

/** `kind: what`, for each. */
export const shortly = (platform: Platform): string[] =>
  findingsOf(platform).map(({ kind, what }) => `${kind}: ${what}`)
