import { describe, expect, test } from 'vitest'
import { findVllmServers } from './inference-servers.ts'
import { load } from './testkit.ts'

const server = (command: string, script: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec:
      initContainers:
      volumes: [{name: run, configMap: {name: run}}]
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.11.2
          command: ${command}
          args: [--max-model-len=4096]
          volumeMounts: [{name: run, mountPath: /scripts}]
          resources: {limits: {nvidia.com/gpu: 1}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: run}
data:
  start.sh: |
${script.replaceAll(/^/gm, '    ')}
`

describe('a server started by a script of a ConfigMap', () => {
  const script = '#!/bin/bash\nset -e\nexec vllm serve --model="acme/chat" "$@"'

  test.each(['[/scripts/start.sh]', '[bash, /scripts/start.sh]'])('%s', async (command) => {
    const [found] = findVllmServers(await load(server(command, script)))
    expect(found?.recognised).toMatchObject({
      kind: 'vllm',
      args: ['--model=acme/chat', '--max-model-len=4096'],
      receivesSignals: true,
    })
  })

  test('a script that is not there, or is none of a shell, is not known', async () => {
    for (const command of ['[/scripts/other.sh]', '[/elsewhere/start.sh]'])
      expect(findVllmServers(await load(server(command, script)))[0]?.recognised).toMatchObject({ kind: 'unmodelled' })
    const python = findVllmServers(await load(server('[/scripts/start.sh]', '#!/usr/bin/env python3\nimport vllm')))
    expect(python[0]?.recognised).toMatchObject({ kind: 'unmodelled' })
  })
})
