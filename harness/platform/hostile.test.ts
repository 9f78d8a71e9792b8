import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Judges } from './testing/hostile/judges.ts'
import { hostileCases } from './testing/hostile.ts'

const judges = new Judges()
const folder = mkdtempSync(join(tmpdir(), 'hostile-'))
afterAll(async () => {
  await judges.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Files nobody would call manifests; what a system cannot make is left out and counted. */
const FILES: readonly (readonly [name: string, make: (path: string) => void])[] = [
  ['nothing.yaml', () => undefined],
  ['empty.yaml', (path) => writeFileSync(path, '')],
  ['folder-without-files', (path) => mkdirSync(path)],
  ['a-folder.yaml', (path) => mkdirSync(path)],
  ['itself.yaml', (path) => symlinkSync(path, path)],
  ['zero.yaml', (path) => symlinkSync('/dev/zero', path)],
  ['null.yaml', (path) => symlinkSync('/dev/null', path)],
  ['broken.yaml', (path) => symlinkSync('/no/such/file', path)],
  ['pipe.yaml', (path) => execFileSync('mkfifo', [path])],
  [
    'round',
    (path) => {
      mkdirSync(path)
      for (const [from, to] of [
        ['a', 'b'],
        ['b', 'a'],
        ['c', '.'],
      ] as const)
        symlinkSync(to, join(path, from))
      symlinkSync('d.yaml', join(path, 'e.yaml'))
      symlinkSync('e.yaml', join(path, 'd.yaml'))
    },
  ],
  [
    'kustomizations-round',
    (path) => {
      for (const [at, other] of [
        ['x', 'y'],
        ['y', 'x'],
      ] as const) {
        mkdirSync(join(path, at), { recursive: true })
        const text = `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../${other}]\nnamePrefix: a-\n`
        writeFileSync(join(path, at, 'kustomization.yaml'), text)
      }
    },
  ],
  [
    'hundred-megabytes.yaml',
    (path) => {
      writeFileSync(path, '')
      truncateSync(path, 101e6)
    },
  ],
  [
    'chart',
    (path) => {
      mkdirSync(join(path, 'templates'), { recursive: true })
      writeFileSync(join(path, 'Chart.yaml'), 'name: a')
      writeFileSync(join(path, 'templates', 'a.yaml'), '{{ .Values.a }}')
    },
  ],
  ['\u001b[31mred.yaml', (path) => writeFileSync(path, 'a: b: c')],
  ['new\nline.yaml', (path) => writeFileSync(path, 'a: b: c')],
]

describe('hostile input', () => {
  it('is refused with a place and what to do, or judged, in bounded time and memory', {
    timeout: 120_000,
  }, async () => {
    const cases = hostileCases()
    const wrong: string[] = []
    const counts = { refused: 0, judged: 0, crashed: 0, hung: 0 }
    let slowest = { name: '', ms: 0 }
    for (const { name, input, config, expect: expected, noLine } of cases) {
      const stdin = input()
      const reply = await judges.ask({
        paths: ['-'],
        cwd: '/nowhere',
        stdin,
        ...(config === undefined ? {} : { config }),
      })
      counts[reply.outcome]++
      if (reply.cpuMs > slowest.ms) slowest = { name, ms: reply.cpuMs }
      const complaints = [
        ...(expected === 'taken' && reply.outcome !== 'judged' ? ['not judged'] : []),
        ...(expected === 'refused' && reply.outcome !== 'refused' ? ['not refused'] : []),
        ...judges.complaints(reply, { line: !noLine }),
      ]
      if (complaints.length > 0) wrong.push(`${name}: ${complaints.join(', ')}: ${reply.text.slice(0, 300)}`)
    }
    console.log(`${cases.length} hostile inputs: ${JSON.stringify(counts)}; slowest ${slowest.ms} ms: ${slowest.name}`)
    for (const [name, make] of FILES) {
      const path = join(folder, name)
      if (!canMake(() => make(path))) continue
      const reply = await judges.ask({ paths: [path], cwd: folder })
      counts[reply.outcome]++
      if (reply.outcome !== 'refused') wrong.push(`${name}: not refused: ${reply.text.slice(0, 300)}`)
      for (const complaint of judges.complaints(reply, { line: false }))
        wrong.push(`${name}: ${complaint}: ${reply.text.slice(0, 300)}`)
    }
    console.log(`with files: ${JSON.stringify(counts)}`)
    expect(wrong).toEqual([])
    expect(cases.length).toBeGreaterThanOrEqual(300)
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  })
})

/** Some systems have no pipes with names, or allow no links. */
function canMake(make: () => void): boolean {
  try {
    make()
    return true
  } catch {
    return false
  }
}
