/** A platform of ten models and as many objects as asked for: Deployments, Services, HPAs, ConfigMaps, roles, as charts bring them. */
export function largePlatform(objects: number, models = 10): string {
  const documents: string[] = []
  for (let i = 0; i < models; i++) documents.push(...modelObjects(`model-${i}`))
  for (let i = 0; documents.length < objects; i++) documents.push(filler(i))
  return documents.slice(0, objects).join('---\n')
}

const modelObjects = (name: string): string[] => [
  `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  replicas: 2
  strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.11.0
          args: [--model=meta-llama/Llama-3.1-8B-Instruct, --port=8000]
          ports: [{ name: http, containerPort: 8000 }]
          readinessProbe: { httpGet: { path: /health, port: http } }
          resources: { limits: { nvidia.com/gpu: 1, cpu: "8", memory: 64Gi } }
`,
  `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ port: 80, targetPort: http }] }
`,
  `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: ${name} }
spec: { minAvailable: 1, selector: { matchLabels: { app: ${name} } } }
`,
]

const filler = (i: number): string =>
  [
    `apiVersion: v1
kind: ConfigMap
metadata: { name: settings-${i}, labels: { part-of: platform } }
data: { key-${i}: "value ${i}", other: "${'x'.repeat(80)}" }
`,
    `apiVersion: v1
kind: Service
metadata: { name: service-${i} }
spec: { selector: { app: app-${i} }, ports: [{ name: http, port: 80 }] }
`,
    `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: role-${i} }
rules: [{ apiGroups: [""], resources: [pods], verbs: [get, list] }]
`,
    `apiVersion: apps/v1
kind: Deployment
metadata: { name: app-${i} }
spec:
  replicas: 1
  selector: { matchLabels: { app: app-${i} } }
  template:
    metadata: { labels: { app: app-${i} } }
    spec:
      containers:
        - { name: app, image: "nginx:1.27", resources: { requests: { cpu: 50m, memory: 64Mi } } }
`,
  ][i % 4]!
