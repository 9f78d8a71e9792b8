import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The house rules that no compiler or linter holds. Each test lists every place that breaks its rule. */

const root = import.meta.dirname
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path && existsSync(join(root, path)))
const text = (path: string) => readFileSync(join(root, path), 'utf8')
const source = files.filter((path) => /\.(ts|tsx|js|mjs)$/.test(path))
const product = source.filter((path) => !/\.test\.tsx?$/.test(path))

/** Lines for which `breaks` gives a reason, as `file:line: reason`. */
function findings(paths: readonly string[], breaks: (line: string, path: string) => string | undefined): string[] {
  return paths.flatMap((path) =>
    text(path)
      .split('\n')
      .flatMap((line, i) => {
        const reason = breaks(line, path)
        return reason === undefined ? [] : [`${path}:${i + 1}: ${reason}`]
      }),
  )
}

describe('imports', () => {
  /** Each may import itself and what comes after it. */
  const LAYERS = ['cli', 'scenarios', 'harness', 'sandbox', 'fixtures']
  const layer = (path: string) => LAYERS.indexOf(path.split('/')[0]!)

  it('point one way: cli → scenarios → harness → sandbox → fixtures', () => {
    const wrong = findings(source, (line, path) => {
      const imported = /(?:from|import|import\()\s*['"](\.[^'"]+)['"]/.exec(line)?.[1]
      if (imported === undefined || layer(path) < 0) return undefined
      const target = normalize(join(dirname(path), imported))
      if (layer(target) < 0 || layer(target) >= layer(path)) return undefined
      return `imports ${target}`
    })
    expect(wrong).toEqual([])
  })

  it('leave the heavy libraries to those who need them, at the moment they do', () => {
    const heavy =
      /^\s*import (?!type)[^;]*from ['"](ink|@kubernetes\/client-node|testcontainers|@testcontainers\/[^'"]+)['"]/
    const wrong = findings(product, (line, path) =>
      heavy.test(line) && !path.startsWith('cli/tui/') ? 'a static import of a heavy library' : undefined,
    )
    expect(wrong).toEqual([])
  })
})

describe('time and chance come from the World', () => {
  const BANNED =
    /\b(Date\.now|Math\.random|performance\.now|setTimeout|setInterval|setImmediate|(?:crypto\.)?randomUUID)\s*\(|\bnew Date\(\s*\)|\brandomBytes\(/
  /** Where the wall's time is the point: what starts with one of these. */
  const EDGES: readonly (readonly [path: string, why: string])[] = [
    ['sandbox/world/wall-clock.ts', 'the clock that is the wall’s'],
    ['sandbox/kube/remote/rest.ts', 'HTTP: waits as long as the server asks'],
    ['sandbox/kube/remote/http2-transport.ts', 'HTTP: credentials grow old'],
    ['sandbox/tiers/control-plane/', 'starts programs: tokens, ports, waiting for them'],
    ['harness/bench/', 'measures the wall’s time'],
    ['harness/wire/', 'asks servers over sockets, and waits for them'],
    ['sandbox/vllm/real/', 'starts servers, and waits for them'],
    ['harness/load/k6/', 'runs a program that lives in the wall’s time'],
    ['harness/pool/', 'gives threads their work, and one thread several things to do'],
  ]

  it('and from nowhere else', () => {
    const paths = product.filter(
      (path) => /^(sandbox|harness|scenarios)\//.test(path) && !EDGES.some(([edge]) => path.startsWith(edge)),
    )
    const wrong = findings(paths, (line) => {
      const call = BANNED.exec(line.replace(/\/\/.*|^\s*\*.*/, ''))
      return call ? `${call[0]} is not the World’s` : undefined
    })
    expect(wrong).toEqual([])
  })

  it('at edges that exist', () => {
    expect(EDGES.filter(([edge]) => !files.some((path) => path.startsWith(edge)))).toEqual([])
  })
})

describe('files', () => {
  const LIMIT = 300
  /** Longer ones, each with the reason. */
  const LONGER: Readonly<Record<string, string>> = {}

  it(`have at most ${LIMIT} lines`, () => {
    const long = source
      .filter((path) => !(path in LONGER))
      .map((path) => [path, text(path).split('\n').length - 1] as const)
      .filter(([, lines]) => lines > LIMIT)
    expect(long).toEqual([])
  })

  it('are excepted only while they need it', () => {
    const needless = Object.keys(LONGER).filter(
      (path) => !source.includes(path) || text(path).split('\n').length <= LIMIT,
    )
    expect(needless).toEqual([])
  })

  it('name no folder of a machine and no package registry', () => {
    const places = new RegExp(
      [
        // in containers the model cache is /root/.cache/huggingface
        String.raw`(?<![\w.-])/(?:work/|tmp/w/|root/(?!\.cache/huggingface))`,
        String.raw`(?<![\w.~-])/(?:home|Users)/[a-z]`,
        `"resolved": "http`,
        String.raw`registry\.npmjs`,
        ...(homedir().length > '/root'.length ? [`${homedir().replace(/[^\w/]/g, String.raw`\$&`)}/`] : []),
      ].join('|'),
    )
    const wrong = findings(
      files.filter((path) => path !== 'tidy.test.ts' && !/\.(png|gz|zip|bin)$/.test(path)),
      (line) => places.exec(line)?.[0],
    )
    expect(wrong).toEqual([])
  })
})

describe('tests', () => {
  it('all run', () => {
    const off = /\b(?:it|test|describe)(?:\.\w+)*\.(?:skip|only|todo|fails)\b|\bx(?:it|describe)\(/
    const tests = files.filter((path) => /\.test\.tsx?$/.test(path) && path !== 'tidy.test.ts')
    expect(findings(tests, (line) => off.exec(line)?.[0])).toEqual([])
  })

  it('stand beside the file they test, or a folder of it', () => {
    const lost = files.filter((path) => /^(test|tests|__tests__)\//.test(path))
    expect(lost).toEqual([])
  })
})

describe('scenarios', () => {
  const PARTS = ['scenario.ts', 'README.md', 'good', 'bad', 'decoy', 'expected.json']

  it('are whole', () => {
    const folder = join(root, 'scenarios')
    const slugs = existsSync(folder)
      ? readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
      : []
    const missing = slugs.flatMap(({ name }) =>
      PARTS.filter((part) => !existsSync(join(folder, name, part))).map((part) => `scenarios/${name}/${part}`),
    )
    expect(missing).toEqual([])
  })
})
