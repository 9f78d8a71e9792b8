import { describe, expect, test } from 'vitest'
import { sim } from '../../../sandbox/tiers/sim/sim.ts'
import { judgePlatform } from '../../judge-platform.ts'
import type { Scenario } from '../../scenario.ts'
import type { TrialResult } from '../../verdict/verdict.ts'
import { loadPlatform } from '../load.ts'
import { folderWith } from '../testing/folder.ts'

const MODEL = 'meta-llama/Llama-3.1-8B-Instruct'

/** A server that reads a folder, which an init container fills. */
const server = (init: string, { model = '/models/chat', volume = 'emptyDir: {}' } = {}) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec:
      volumes: [{name: models, ${volume}}]
      initContainers:
        - name: fetch
          image: python:3.12
          command: [sh, -c, '${init}']
          volumeMounts: [{name: models, mountPath: /download}]
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.32.0
          args: [--model, ${model}, --served-model-name, chat]
          volumeMounts: [{name: models, mountPath: /models}]
          resources: {limits: {nvidia.com/gpu: 1}}
---
apiVersion: v1
kind: Service
metadata: {name: chat}
spec: {selector: {app: chat}, ports: [{port: 8000}]}
`

async function judged(manifests: string, config?: string) {
  const cwd = folderWith({ 'deploy.yaml': manifests, ...(config ? { 'seatrial.yaml': config } : {}) })
  const platform = await loadPlatform({ paths: ['deploy.yaml'], cwd, ...(config ? { config: 'seatrial.yaml' } : {}) })
  const { judgeables, inputs } = judgePlatform(platform, { capabilities: sim.capabilities })
  const scenario = { needs: [], load: {} } as unknown as Scenario
  return { inputs, judgeable: judgeables[0]!, blockers: judgeables[0]!.blockersFor(scenario) }
}

const FETCH = `hf download ${MODEL} --local-dir /download/chat`

describe('how long init containers run', () => {
  test('the bytes of a known model at an assumed bandwidth; the model itself is known by it', async () => {
    const { inputs, judgeable, blockers } = await judged(server(FETCH))
    expect(blockers).toEqual([])
    const input = inputs.initTimesUs['Deployment/chat/fetch']!
    expect(input).toMatchObject({
      origin: 'assumed',
      note: expect.stringContaining('hf download of 16.1 GB at 300 MB/s'),
    })
    expect(input.value / 1e6).toBeCloseTo(2 + 16.06 / 0.3, 0)
    expect(input.range![0]).toBeLessThan(input.value)
    expect(input.range![1]).toBeGreaterThan(2 * input.value)
    expect(judgeable.taken.join('\n')).toContain(`the model at /models/chat is ${MODEL}, which init container fetch`)
    expect(judgeable.uncertain.map(({ name }) => name)).toContain('run time of init container fetch')
    expect(judgeable.prepare({}).startUs).toBeGreaterThan(input.value)
  })

  test('a volume that lasts may hold the model from an earlier start', async () => {
    const claim = 'persistentVolumeClaim: {claimName: models}'
    const { inputs } = await judged(server(FETCH, { volume: claim }))
    expect(inputs.initTimesUs['Deployment/chat/fetch']!.range![0]).toBe(2e6)
  })

  test('as seatrial.yaml says, for what nobody knows too', async () => {
    const config = `models: {/models/chat: ${MODEL}}\ncontainers: {chat/fetch: {runTime: 90s}}\n`
    const { inputs, blockers } = await judged(server('convert-weights /download'), config)
    expect(inputs.initTimesUs['Deployment/chat/fetch']).toMatchObject({ value: 90e6, origin: 'given' })
    expect(blockers).toEqual([])
    const faster = await judged(server(FETCH), 'containers: {fetch: {bandwidth: 2GB/s}}\n')
    expect(faster.inputs.initTimesUs['Deployment/chat/fetch']!.value / 1e6).toBeCloseTo(2 + 16.06 / 2, 0)
  })

  test('otherwise the line to add, which is a configuration', async () => {
    const config = `name: x\nmodels: {/models/chat: ${MODEL}}\n`
    const { blockers } = await judged(server('convert-weights /download'), config)
    expect(blockers).toMatchObject([
      { what: expect.stringMatching(/initContainers\[0\] \(deploy\.yaml:11:11\): how long init container fetch runs/) },
    ])
    const line = /containers: \{.*\} \}/.exec(blockers[0]!.fix)![0]
    expect(line).toBe('containers: { chat/fetch: { runTime: 60s } }')
    expect((await judged(server('convert-weights /download'), `${config}${line}\n`)).blockers).toEqual([])
  })

  test('a container that is not there is a slip', async () => {
    await expect(judged(server(FETCH), 'containers: {chat/fetsch: {runTime: 9s}}\n')).rejects.toThrow(
      /containers\.chat\/fetsch matches no init container/,
    )
  })
})

test('which vLLM an image holds is said where its tag does not, in the line that is printed', async () => {
  const dated = server(FETCH)
    .replace('vllm-openai:v0.32.0', 'vllm-openai:20250312')
    .replace('--served', '--swap-space, "4", --served')
  const refused = { outcome: 'FAIL', judged: [{ broken: { cause: 'engine-refused' } }] } as unknown as TrialResult
  const doubt = (await judged(dated)).judgeable.doubtOf(refused)
  expect(doubt?.fix).toContain('Write into seatrial.yaml:  images: { "vllm/vllm-openai:20250312": { vllm: 0.11.2 } }')
  const said = await judged(dated, 'images: { "vllm/vllm-openai:20250312": { vllm: v0.8.5 } }\n')
  expect(said.judgeable.doubtOf(refused)).toBeUndefined()
  await expect(judged(dated, 'images: { "vllm/vllm-openai:20250312": { vllm: newest } }\n')).rejects.toThrow(
    /write it like 0.11.2/,
  )
})

describe('a known model under another name', () => {
  const unknown = server('chown -R 1000 /download', { model: '/models/llama-3.1-8b-instruct' })
  const timed = 'containers: {fetch: {runTime: 5s}}'

  test('nothing is known of it, and the line to add proposes what its path says', async () => {
    const { blockers } = await judged(unknown, timed)
    expect(blockers.map(({ code }) => code)).toEqual(['UNKNOWN_MODEL'])
    expect(blockers[0]!.fix).toContain(`Add to seatrial.yaml:  models: { /models/llama-3.1-8b-instruct: ${MODEL} }`)
  })

  test.each([`/models/llama-3.1-8b-instruct: ${MODEL}`, `chat: ${MODEL}`, `chat: {sameAs: ${MODEL}, loadTime: 90s}`])(
    '%s',
    async (line) => {
      const { blockers } = await judged(unknown, `${timed}\nmodels: {${line}}`)
      expect(blockers).toEqual([])
    },
  )

  test('a model that is known to nobody is a slip', async () => {
    await expect(judged(unknown, `${timed}\nmodels: {chat: meta-llama/Llama-3.1-8B-Instrukt}`)).rejects.toThrow(
      /Did you mean "meta-llama\/Llama-3.1-8B-Instruct"/,
    )
  })
})
