import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { judgePlatform } from '../harness/judge-platform.ts'
import { loadPlatform } from '../harness/platform/load.ts'
import { decide } from '../harness/verdict/decide.ts'
import { sim } from '../sandbox/tiers/sim/sim.ts'
import { scenarios } from './index.ts'

const GOOD = new URL('./rollout-on-full-gpus/good/surge-and-unavailable', import.meta.url).pathname
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** The verdict on a good platform after its texts were changed; `R`, `L`, `B` are the three scenarios. */
async function verdict(letter: 'R' | 'L' | 'B', changes: readonly (readonly [from: string, to: string])[]) {
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-'))
  folders.push(folder)
  const left = new Set(changes)
  for (const file of ['deploy.yaml', 'seatrial.yaml']) {
    let text = readFileSync(join(GOOD, file), 'utf8')
    for (const change of changes) {
      if (!text.includes(change[0])) continue
      left.delete(change)
      text = text.replaceAll(change[0], change[1])
    }
    writeFileSync(join(folder, file), text)
  }
  expect([...left], 'every change finds its place').toEqual([])
  const platform = await loadPlatform({ paths: ['.'], cwd: folder })
  const slug = { R: 'rollout-on-full-gpus', L: 'liveness-kills-loading', B: 'bad-model-config' }[letter]
  const scenario = scenarios.find((s) => s.slug === slug)!
  const judgeable = judgePlatform(platform, { capabilities: sim.capabilities }).judgeables[0]!
  const { outcome, finding, invalid, skipped } = await decide({
    scenario,
    judgeable,
    tier: sim,
    seeds: [1],
    replay: () => '',
  })
  return `${outcome} ${finding?.cause ?? invalid[0]?.code ?? skipped ?? ''}`.trim()
}

const CLAIM =
  'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: m }\nspec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }\n'
const JOB = (kind: string, spec: string) =>
  `\n---\napiVersion: apps/v1\nkind: ${kind}\nmetadata: { name: other }\nspec:\n  selector: { matchLabels: { app: other } }\n  ${spec}\n  template:\n    metadata: { labels: { app: other } }\n    spec: { containers: [{ name: a, image: a, resources: { limits: { nvidia.com/gpu: 1 } } }] }\n`
const STARTUP = 'startupProbe:\n            httpGet:\n              path: /health\n              port: http'

describe('a change of a good platform', () => {
  it.each([
    // requests that nobody answers are no PASS
    ['R', [['selector: { app: chat }\n  ports', 'selector: { app: nobody }\n  ports']], 'INVALID NO_LOAD'],
    ['R', [['targetPort: http', 'targetPort: 9999']], 'FAIL requests-refused'],
    [
      'R',
      [['  selector: { app: chat }\n  ports', '  clusterIP: None\n  selector: { app: chat }\n  ports']],
      'INVALID UNMODELLED',
    ],
    ['R', [['promptTokens: { mean: 600, p95: 1800 }', 'promptTokens: 30000']], 'FAIL requests-http'],
    // others that take GPUs
    ['R', [['\n---\n', `${JOB('StatefulSet', 'serviceName: other')}---\n`]], 'FAIL pod-does-not-fit'],
    [
      'B',
      [['\n---\n', `${JOB('DaemonSet', '').replace('apps/v1', 'apps.kruise.io/v1alpha1')}---\n`]],
      'INVALID UNMODELLED',
    ],
    // a range that was given is tried
    ['L', [['loadTime: 540s', 'loadTime: { value: 540s, range: [300s, 1500s] }']], 'INVALID ASSUMPTION_DECIDES'],
    // slow is not stuck
    ['R', [['progressDeadlineSeconds: 1200', 'progressDeadlineSeconds: 900\n  minReadySeconds: 600']], 'PASS'],
    ['R', [['progressDeadlineSeconds: 1200', 'progressDeadlineSeconds: 120']], 'FAIL progress-deadline-too-short'],
    // made elsewhere
    ['B', [['terminationGracePeriodSeconds: 60', 'serviceAccountName: other\n      priorityClassName: high']], 'PASS'],
    // nothing runs
    ['R', [['replicas: 4', 'replicas: 0']], 'SKIPPED spec.replicas is 0: nothing runs'],
    ['R', [['replicas: 4', 'replicas: 4\n  paused: true']], 'SKIPPED spec.paused is true: nothing is rolled out'],
    // flags are judged without the pod's own probes
    ['B', [['path: /health', 'path: /nowhere']], 'PASS'],
    ['L', [[STARTUP, STARTUP.replace('/health', '/nowhere')]], 'FAIL probe-answered-with-error'],
    ['L', [[STARTUP, STARTUP.replace('port: http', 'port: 8080')]], 'FAIL startup-probe-kills-loading'],
    ['L', [[STARTUP, `${STARTUP}\n              scheme: HTTPS`]], 'FAIL startup-probe-kills-loading'],
    ['B', [['vllm-openai:v0.11.0', 'vllm-openai:v0.11.0:x']], 'FAIL image-not-pulled'],
    [
      'B',
      [['- --tensor-parallel-size=8', '- --tensor-parallel-size=8\n            - --quantization=foo']],
      'FAIL engine-refused',
    ],
    // why a pod finds no node
    ['R', [['count: 4', 'count: 3']], 'FAIL pod-does-not-fit'],
    ['L', [['count: 4', 'count: 3']], 'PASS'],
    ['R', [['terminationGracePeriodSeconds: 60', 'nodeSelector: { pool: other }']], 'FAIL pod-unschedulable'],
    // a volume of one node at a time, and replicas on several
    [
      'R',
      [
        ['terminationGracePeriodSeconds: 60', 'volumes: [{ name: m, persistentVolumeClaim: { claimName: m } }]'],
        ['\n---\n', `\n---\n${CLAIM}---\n`],
      ],
      'FAIL volume-not-attached',
    ],
    ['R', [['terminationGracePeriodSeconds: 60', 'nodeName: gpu-0']], 'FAIL pods-rejected'],
    // the load given
    [
      'R',
      [
        ['rate: 2/s', 'rate: 12/s'],
        ['promptTokens: { mean: 600, p95: 1800 }', 'promptTokens: 15000'],
      ],
      'FAIL too-few-replicas-for-load',
    ],
  ] as const)(
    '%s %j: %s',
    async (letter, changes, expected) => {
      expect(await verdict(letter, changes)).toBe(expected)
    },
    120_000,
  )
})
