import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PlatformErrors } from './errors.ts'
import { LIMITS } from './limits.ts'
import { type LoadOptions, loadPlatform } from './load.ts'
import { sourceOf } from './platform.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'seatrial-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`

function write(files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), content)
  }
}

const load = (paths: string[], options: Partial<LoadOptions> = {}) => loadPlatform({ paths, cwd, ...options })

async function failures(paths: string[], options: Partial<LoadOptions> = {}): Promise<string[]> {
  const error = await load(paths, options).then(
    () => undefined,
    (e: unknown) => e,
  )
  if (!(error instanceof PlatformErrors)) throw error ?? new Error('it loaded')
  return error.errors.map((e) => `${e.code} ${e.file ?? ''}${e.line === undefined ? '' : `:${e.line}`}`)
}

describe('a folder', () => {
  test('is read recursively in the order of names, whatever order the files were made in', async () => {
    write({
      'deploy/z.yaml': configMap('z'),
      'deploy/b/1.yml': configMap('b1'),
      'deploy/a.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}',
    })
    const platform = await load(['deploy'])
    expect(platform.objects.map((o) => o.manifest.metadata.name)).toEqual(['a', 'b1', 'z'])
    expect(platform.files).toEqual(['deploy/a.json', 'deploy/b/1.yml', 'deploy/z.yaml'])
    expect(platform.name).toBe('deploy')
  })

  test('hidden entries, node_modules and other files are left out', async () => {
    write({
      'a.yaml': configMap('a'),
      '.git/x.yaml': 'a: [',
      '.hidden.yaml': 'a: [',
      'node_modules/p/x.yaml': 'a: [',
      'notes.txt': 'a: [',
    })
    expect((await load(['.'])).files).toEqual(['a.yaml'])
  })

  test('what is no Kubernetes object is skipped with a note', async () => {
    write({
      'a.yaml': configMap('a'),
      'values.yaml': 'replicas: 2\n',
      'kind.yaml': 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n',
      'list.yaml': '- a\n',
      'empty.yaml': '# nothing\n',
    })
    const { notes } = await load(['.'])
    expect(notes.map((note) => note.file)).toEqual(['kind.yaml', 'list.yaml', 'values.yaml'])
    expect(notes[2]!.message).toContain('no apiVersion and kind')
  })

  test('a Helm chart among manifests is noted, alone it is an error', async () => {
    write({
      'deploy/chat/Chart.yaml': 'apiVersion: v2\nname: chat\n',
      'deploy/chat/templates/d.yaml': '{{ .Values.x }}',
      'deploy/a.yaml': configMap('a'),
    })
    const { notes } = await load(['deploy'])
    expect(notes).toEqual([
      { file: 'deploy/chat', message: expect.stringContaining('helm template deploy/chat | seatrial verify -') },
    ])
    expect(await failures(['deploy/chat'])).toEqual(['CHART_NOT_RENDERED deploy/chat/Chart.yaml:1'])
  })

  test('a kustomization that only lists files is noted; one that changes objects is an error, and its patches are not judged', async () => {
    write({ 'k/kustomization.yaml': 'resources: [a.yaml]\n', 'k/a.yaml': configMap('a') })
    expect((await load(['k'])).notes[0]).toMatchObject({ file: 'k/kustomization.yaml' })
    write({
      'k/kustomization.yaml': 'resources: [a.yaml]\npatches: [{path: p.yaml}]\n',
      'k/p.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {}\n',
    })
    expect(await failures(['k'])).toEqual(['KUSTOMIZATION_NOT_RENDERED k/kustomization.yaml:2'])
  })

  test('symbolic links that go round in a circle', async () => {
    write({ 'd/a.yaml': configMap('a') })
    symlinkSync(join(cwd, 'd'), join(cwd, 'd/again'))
    symlinkSync(join(cwd, 'd/a.yaml'), join(cwd, 'd/same.yaml'))
    expect((await load(['d'])).objects).toHaveLength(1)
    symlinkSync(join(cwd, 'loop'), join(cwd, 'loop'))
    expect(await failures(['loop'])).toEqual(['UNREADABLE loop'])
    symlinkSync(join(cwd, 'gone.yaml'), join(cwd, 'd/broken.yaml'))
    expect(await failures(['d'])).toEqual(['UNREADABLE d/broken.yaml'])
  })

  test('too many entries, too large a file', async () => {
    write({ 'd/a.yaml': configMap('a'), 'd/b.yaml': configMap('b'), 'd/c.yaml': configMap('c') })
    expect(await failures(['d'], { limits: { ...LIMITS, entries: 2 } })).toEqual(['TOO_LARGE d'])
    expect(await failures(['d'], { limits: { ...LIMITS, fileBytes: 10 } })).toHaveLength(3)
    expect(await failures(['d'], { limits: { ...LIMITS, totalBytes: 60 } })).toEqual([
      'TOO_LARGE d/b.yaml',
      'TOO_LARGE d/c.yaml',
    ])
  })

  test('an empty one', async () => {
    mkdirSync(join(cwd, 'empty'))
    expect(await failures(['empty'])).toEqual(['NO_OBJECTS empty'])
    expect(await failures(['nowhere', 'empty'])).toEqual(['UNREADABLE nowhere'])
    expect(await failures([])).toEqual(['NO_OBJECTS .'])
  })

  test('a path through a file', async () => {
    write({ 'd/a.yaml': configMap('a') })
    expect(await failures(['d/a.yaml/b', 'd\u0000'])).toEqual(['UNREADABLE d\u0000', 'UNREADABLE d/a.yaml/b'])
  })
})

describe('texts', () => {
  test('with a byte order mark, Windows line ends, or as UTF-16', async () => {
    const text = configMap('a').replaceAll('\n', '\r\n')
    const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le')
    write({ 'bom.yaml': `\ufeff${text}`, 'le.yaml': utf16, 'be.yaml': Buffer.from(utf16).swap16() })
    for (const file of ['bom.yaml', 'le.yaml', 'be.yaml']) {
      const { objects } = await load([file])
      expect(objects[0]!.manifest.metadata.name).toBe('a')
      expect(sourceOf(objects[0]!, 'metadata.name')).toMatchObject({ file, line: 3, column: 18 })
    }
  })

  test('that are not UTF-8 name the line of the first bad byte', async () => {
    write({
      'latin1.yaml': Buffer.from('apiVersion: v1\nkind: ConfigMap # \u00fcber\n', 'latin1'),
      'binary.yaml': new Uint8Array([0x61, 0x0a, 0x00, 0x01]),
    })
    expect(await failures(['latin1.yaml', 'binary.yaml'])).toEqual(['NOT_TEXT binary.yaml:2', 'NOT_TEXT latin1.yaml:2'])
  })

  test('from standard input, in pieces', async () => {
    async function* pieces() {
      yield 'apiVersion: v1\nkind: List\nitems:\n'
      yield new TextEncoder().encode('- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: prod}}\n')
    }
    const platform = await load(['-'], { stdin: pieces() })
    expect(platform.objects.map((o) => o.id)).toEqual(['ConfigMap/prod/a'])
    expect(platform.files).toEqual(['stdin'])
  })
})

describe('objects', () => {
  test('custom resources pass without a schema and say so', async () => {
    const platform = await load(['-'], {
      stdin: 'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: {anything: [1]}\n',
    })
    expect(platform.objects[0]).toMatchObject({ schema: 'unknown', id: 'Rollout/a' })
  })

  test('what the API server printed is taken back: status, null timestamps, managed fields', async () => {
    const text = `apiVersion: apps/v1
kind: Deployment
metadata: {name: a, creationTimestamp: null, managedFields: [{manager: kubectl, fieldsV1: {"f:spec": {}}}]}
spec:
  selector: {matchLabels: {a: b}}
  strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}, type: RollingUpdate}
  template: {metadata: {creationTimestamp: null, labels: {a: b}}, spec: {containers: [{name: a, image: b, resources: {limits: {cpu: 1.5, memory: 1e9}}}], volumes: [{name: c, configMap: {name: c, defaultMode: 0644}}]}}
status: {conditions: [{type: Available}]}
`
    const platform = await load(['-'], { stdin: text })
    expect(platform.objects[0]!.schema).toBe('kubernetes')
    expect(platform.objects[0]!.manifest).toMatchObject({
      spec: { template: { spec: { volumes: [{ configMap: { defaultMode: 420 } }] } } },
    })
    expect(() => ((platform.objects[0]!.manifest.metadata as { name: string }).name = 'b')).toThrow(TypeError)
  })

  test('one kind and name in two namespaces or groups is no duplicate', async () => {
    const text = [
      '{apiVersion: v1, kind: Service, metadata: {name: a, namespace: x}, spec: {ports: [{port: 80}]}}',
      '{apiVersion: v1, kind: Service, metadata: {name: a, namespace: z}, spec: {ports: [{port: 80}]}}',
      '{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a, namespace: x}}',
    ].join('\n---\n')
    expect((await load(['-'], { stdin: text })).objects).toHaveLength(3)
  })

  test('every mistake of every file is reported at once, in order', async () => {
    write({
      'a.yaml': 'apiVersion: v1\nkind: Pod\n',
      'b.yaml': `${configMap('b')}foo: 1\nbar: 2\n`,
      'seatrial.yaml': 'nam: x\n',
    })
    expect(await failures(['.'])).toEqual([
      'MISSING_NAME a.yaml:1',
      'UNKNOWN_FIELD b.yaml:4',
      'UNKNOWN_FIELD b.yaml:5',
      'BAD_CONFIG seatrial.yaml:1',
    ])
  })
})

test('hints name the field that was meant', async () => {
  const error = (await load(['-'], {
    stdin:
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  maxSurge: 1\n  replicsa: 2\n  selector: {}\n  template:\n    spec:\n      replicas: 2\n      containers: [{name: a, ports: [{containerport: 1}], resources: {limits: {memory: 80GB}}}]\n',
  }).catch((e: unknown) => e)) as PlatformErrors
  const fixes = Object.fromEntries(error.errors.map((e) => [e.message.split('"')[1], e.fix]))
  expect(fixes['spec.replicsa']).toBe('Did you mean "replicas"?')
  expect(fixes['spec.template.spec.replicas']).toMatch(/enclosing level/)
  expect(fixes['spec.template.spec.containers[0].ports[0].containerport']).toBe('Did you mean "containerPort"?')
  expect(fixes['80GB']).toBe('Did you mean 80G?')
})
