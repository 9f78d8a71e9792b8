import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configJsonSchema } from '../../harness/platform/config/json-schema.ts'

const BIN = new URL('../bin.js', import.meta.url).pathname
const SHOWCASE = new URL('../../fixtures/platforms/showcase/deploy', import.meta.url).pathname

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'seatrial-'))
  cpSync(SHOWCASE, join(cwd, 'deploy'), { recursive: true })
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const seatrial = (...args: string[]) =>
  spawnSync(process.execPath, [BIN, ...args], {
    cwd,
    encoding: 'utf8',
    input: '',
    env: { ...process.env, NO_COLOR: '1' },
  })

const config = () => readFileSync(join(cwd, 'seatrial.yaml'), 'utf8')

describe('init', () => {
  it('writes a seatrial.yaml and the schema it names, and says so', () => {
    const { stdout, status } = seatrial('init')
    expect(status).toBe(0)
    expect(stdout).toContain('wrote seatrial.yaml\n')
    expect(config()).toMatch(/^# yaml-language-server: \$schema=\.seatrial\/seatrial\.schema\.json\n/)
    expect(config()).toContain('manifests:\n  - deploy/chat.yaml\n  - deploy/titles.yaml\n')
    expect(JSON.parse(readFileSync(join(cwd, '.seatrial/seatrial.schema.json'), 'utf8'))).toEqual(configJsonSchema())
    expect(readFileSync(join(cwd, '.seatrial/.gitignore'), 'utf8')).toBe('*\n')
    expect(readdirSync(cwd).sort()).toEqual(['.seatrial', 'deploy', 'seatrial.yaml'])
  })

  it('a path that is not there is named, and nothing is written', () => {
    const { stderr, status } = seatrial('init', 'nowhere')
    expect([status, stderr]).toEqual([2, expect.stringContaining('cannot read nowhere [UNREADABLE]')])
    expect(readdirSync(cwd)).toEqual(['deploy'])
  })

  it('what it writes as comments is right once it is none', () => {
    seatrial('init')
    const before = JSON.parse(seatrial('plan', '--json').stdout) as {
      inputs: { key: string; origin: string; value: string }[]
    }
    const [head, assumed] = config().split(/(?<=measured: "kubectl events, 3 starts" \}\n)/)
    writeFileSync(join(cwd, 'seatrial.yaml'), head! + assumed!.replaceAll(/^# /gm, ''))
    const { stdout, stderr } = seatrial('plan', '--json')
    expect(stderr).toBe('')
    const after = JSON.parse(stdout) as typeof before
    const of = (inputs: typeof before.inputs, key: string) => inputs.find((input) => input.key.endsWith(key))!
    for (const key of [
      'nodes',
      'registryBytesPerSecond',
      '.loadTimeUs',
      '.requestsPerSecond',
      '.promptTokens',
      '.availability',
      '.ttftP95Us',
    ]) {
      expect([key, of(before.inputs, key).origin, of(after.inputs, key).origin]).toEqual([key, 'assumed', 'given'])
      if (key !== '.loadTimeUs') expect([key, of(after.inputs, key).value]).toEqual([key, of(before.inputs, key).value])
    }
  })

  it('does not write over what is there, and says what it does not say', () => {
    writeFileSync(join(cwd, 'seatrial.yaml'), 'manifests: [deploy/chat.yaml]\n')
    const { stdout, status } = seatrial('init')
    expect(status).toBe(0)
    expect(config()).toBe('manifests: [deploy/chat.yaml]\n')
    expect(stdout).toContain('seatrial.yaml is there and stays as it is')
    expect(stdout).toMatch(/not in it:\n {2}manifests: deploy\/titles\.yaml\n/)
    expect(stdout).toMatch(/assumed, as it does not say:\n {2}nodes /)
  })

  it('--dry-run writes nothing', () => {
    const { stdout } = seatrial('init', '--dry-run')
    expect(stdout).toContain('would write seatrial.yaml:\n# yaml-language-server')
    expect(readdirSync(cwd)).toEqual(['deploy'])
  })

  it('finds charts and overlays, one environment of each, and says what it cannot render', () => {
    for (const [name, text] of Object.entries({
      'chart/Chart.yaml': 'name: chat\n',
      'chart/values-dev.yaml': '',
      'chart/values-prod.yaml': '',
      'chart/templates/x.yaml': '{{ .Values.x }}',
      'base/kustomization.yaml': 'resources: [x.yaml, parts/y.yaml]\n',
      'base/parts/y.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: y }\n',
      'base/x.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n',
      'overlays/dev/kustomization.yaml': 'resources: [../../base]\n',
      'overlays/prod/kustomization.yaml': 'resources: [../../base]\n',
    })) {
      mkdirSync(join(cwd, name, '..'), { recursive: true })
      writeFileSync(join(cwd, name), text)
    }
    seatrial('init', '--no-render')
    const lines = config().split('\n')
    const rendered = lines.slice(lines.indexOf('render:') + 1).filter((line) => /helm|kustomize/.test(line))
    expect(
      rendered.map((line) => line.replace(/(?<=\S) {2}#.*$/, '').replace('kubectl kustomize', 'kustomize build')),
    ).toEqual([
      '  - helm template chat chart -f chart/values-prod.yaml',
      '  # - helm template chat chart -f chart/values-dev.yaml',
      '  - kustomize build overlays/prod',
      '  # - kustomize build overlays/dev',
    ])
    expect(config()).not.toContain('base/')
  })

  it('a folder with nothing to judge gets no file', () => {
    rmSync(join(cwd, 'deploy'), { recursive: true })
    expect(seatrial('init').status).toBe(4)
    expect(existsSync(join(cwd, 'seatrial.yaml'))).toBe(false)
  })
})

describe('plan', () => {
  it('says of an autoscaler that names no workload that it scales nothing', () => {
    writeFileSync(
      join(cwd, 'deploy/hpa.yaml'),
      'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: h }\nspec: { maxReplicas: 4, scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: titels } }\n',
    )
    expect(seatrial('plan', 'deploy').stdout).toContain('scales nothing here: no Deployment is called titels')
  })
})

describe('kept runs', () => {
  it('report prints one again as verify did, in any format; diff compares two; --no-save keeps none', () => {
    const args = ['verify', 'deploy/titles.yaml', '--only', 'bad-model-config', '--seeds', '1']
    seatrial(...args, '--no-save')
    expect(existsSync(join(cwd, '.seatrial'))).toBe(false)
    const verified = seatrial(...args)
    const again = seatrial('report')
    expect([again.stdout, again.status]).toEqual([verified.stdout, verified.status])
    expect(seatrial('report', '-o', 'junit').stdout).toContain('<testsuite name="default/titles"')
    expect(JSON.parse(seatrial('report', '--json').stdout)).toMatchObject({ schemaVersion: 1, totals: { passed: 1 } })
    expect(seatrial('diff').status).toBe(2)
    expect(seatrial('diff', 'latest', 'latest').stdout).toContain('no verdict, finding or margin changed')
    expect(JSON.parse(seatrial('diff', 'latest', 'latest', '--json').stdout)).toMatchObject({
      schemaVersion: 1,
      worse: false,
    })
  })
})
