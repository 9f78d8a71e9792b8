import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { LIMITS } from './limits.ts'
import { type FoundObjects, objectsIn } from './objects.ts'
import { type FieldPath, formatPath, parsePath } from './path.ts'
import { type PlatformObject, sourceOf } from './platform.ts'
import { plainScalar } from './scalar.ts'
import { unmark } from './testing/marked.ts'

function load(text: string): PlatformObject[] {
  const found: FoundObjects = { objects: [], notes: [], errors: [], kustomizations: new Map(), schedulers: [] }
  objectsIn({ file: 'a.yaml', text }, LIMITS, found)
  expect(found.errors.map((e) => e.format())).toEqual([])
  return found.objects
}

/** [style, path, text with ‸ at the value (and first, where there are two, at its key)] */
const places: [string, string, string][] = [
  [
    'block map',
    'spec.replicas',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  ‸replicas: ‸3\n',
  ],
  ['block list', 'spec.args[1]', 'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  args:\n  - x\n  - ‸y\n'],
  [
    'a map in a list',
    'spec.c[0].b',
    'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  c:\n    - a: 1\n      ‸b: ‸2\n',
  ],
  ['flow map', 'metadata.labels.x', 'apiVersion: a/v1\nkind: B\nmetadata: {name: a, labels: {w: "1", ‸x: ‸"2"}}\n'],
  ['a whole map', 'spec.a', 'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  ‸a:\n    ‸b: 1\n    c: 2\n'],
  [
    'a key with dots',
    'metadata.labels[app.kubernetes.io/name]',
    'apiVersion: a/v1\nkind: B\nmetadata:\n  name: a\n  labels:\n    ‸app.kubernetes.io/name: ‸x\n',
  ],
  [
    'a block text',
    'spec.script',
    'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  ‸script: ‸|\n    a\n    b\n',
  ],
  ['an empty value, at its key', 'spec.a', 'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  ‸‸a:\n  b: 1\n'],
  [
    'an alias, where it is used',
    'spec.b',
    'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  a: &x 1\n  ‸b: ‸*x\n',
  ],
  [
    'inside an alias, where it is written',
    'spec.b.c',
    'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  a: &x\n    ‸c: ‸1\n  b: *x\n',
  ],
  ['an anchored value', 'spec.a', 'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  ‸a: &x ‸1\n'],
  [
    'a merged key, where it is written',
    'spec.b.c',
    'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  a: &x {‸c: ‸1}\n  b:\n    <<: *x\n    d: 2\n',
  ],
  [
    'a merged key that is overridden',
    'spec.b.c',
    'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\nspec:\n  a: &x {c: 1}\n  b:\n    <<: *x\n    ‸c: ‸2\n',
  ],
  [
    'JSON',
    'spec.a[0].b',
    '{\n\t"apiVersion": "a/v1", "kind": "B", "metadata": {"name": "a"},\n\t"spec": {"a": [{‸"b": ‸true}]}\n}',
  ],
  [
    'an item of a List',
    'spec.a',
    'apiVersion: v1\nkind: List\nitems:\n- apiVersion: a/v1\n  kind: B\n  metadata: {name: a}\n  spec: {‸a: ‸1}\n',
  ],
]

describe('sourceOf', () => {
  test.each(places)('%s', (_, path, marked) => {
    const { text, places } = unmark(marked)
    const [object] = load(text)
    const position = sourceOf(object!, path)
    const value = places.at(-1)!
    expect(position).toMatchObject({ file: 'a.yaml', path, ...value })
    expect(position.absent).toBeUndefined()
    if (places.length === 2) expect(position.key).toMatchObject(places[0]!)
  })

  test('an absent field answers with its nearest present ancestor', () => {
    const { text, places } = unmark(
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  ‸strategy:\n    ‸type: RollingUpdate\n',
    )
    const position = sourceOf(load(text)[0]!, 'spec.strategy.rollingUpdate.maxSurge')
    expect(position).toMatchObject({ ...places[1], path: 'spec.strategy', absent: true, key: places[0] })
  })

  test('positions of a second document count from the start of the file', () => {
    const objects = load(
      'apiVersion: a/v1\nkind: B\nmetadata: {name: a}\n---\n# Source: chart/templates/b.yaml\napiVersion: a/v1\nkind: B\nmetadata: {name: b}\n',
    )
    expect(sourceOf(objects[1]!, 'metadata.name')).toMatchObject({ line: 8, column: 18 })
    expect(objects[1]!.origin).toEqual({ tool: 'helm', file: 'chart/templates/b.yaml' })
    expect(objects[0]!.origin).toBeUndefined()
  })

  test('the origin that kustomize notes', () => {
    const [object] = load(
      'apiVersion: a/v1\nkind: B\nmetadata:\n  name: a\n  annotations:\n    config.kubernetes.io/origin: |\n      path: base/b.yaml\n',
    )
    expect(object!.origin).toEqual({ tool: 'kustomize', file: 'base/b.yaml' })
  })

  const key = fc.oneof(
    // the writer leaves the key of a merge bare, whatever it is told
    fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text !== '<<'),
    fc.constantFrom('a.b/c', '0', 'x[1]', '"q"', '__proto__', 'on', '1e3', '~'),
  )
  const leaf = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('on', 'no', '0644', '1_000', '0o17', '12:30', '2026-01-01', 'null', '~', '', 'a\nb\n', ' x '),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((n) => n || 0),
    fc.boolean(),
    fc.constant(null),
  )
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(key, tie('node'), { maxKeys: 4 }),
    ),
  })).node

  test.each(['block', 'json', 'flow'])('property: every leaf of a random object is found in its text (%s)', (style) => {
    fc.assert(
      fc.property(tree, (spec) => {
        const manifest = JSON.parse(
          JSON.stringify({ apiVersion: 'a/v1', kind: 'B', metadata: { name: 'a' } }),
        ) as Record<string, unknown>
        manifest['spec'] = spec
        const text =
          style === 'json'
            ? JSON.stringify(manifest, null, 2)
            : stringify(manifest, {
                version: '1.1',
                lineWidth: 0,
                aliasDuplicateObjects: false,
                collectionStyle: style === 'flow' ? 'flow' : 'any',
                defaultStringType: 'QUOTE_DOUBLE',
                defaultKeyType: 'QUOTE_DOUBLE',
              })
        const [object] = load(text)
        expect(JSON.stringify(object!.manifest)).toBe(JSON.stringify(manifest))
        for (const [path, value] of leaves(manifest, [])) {
          const position = sourceOf(object!, path)
          expect(position.absent).toBeUndefined()
          expect(textAt(text, position)).toEqual(value)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('property: a path reads back as it was written', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.nat(50), key), { minLength: 1, maxLength: 5 }), (path) => {
        expect(parsePath(formatPath(path))).toEqual(path)
      }),
    )
  })
})

test.each([
  ['on', true],
  ['No', false],
  ['y', true],
  ['~', null],
  ['0644', 420],
  ['0o17', 15],
  ['0x1F', 31],
  ['0b101', 5],
  ['1_000', 1000],
  ['-3', -3],
  ['+3', 3],
  ['1e3', 1000],
  ['.5', 0.5],
  ['5.', 5],
  ['08', 8],
  ['12:30', '12:30'],
  ['2026-01-01', '2026-01-01'],
  ['v1', 'v1'],
  ['1.2.3', '1.2.3'],
  ['80Gi', '80Gi'],
  ['.inf', Number.POSITIVE_INFINITY],
  ['_1', '_1'],
  ['truE', 'truE'],
  ['-', '-'],
])('the plain scalar %s is read as kubectl reads it', (text, value) => {
  expect(plainScalar(text)).toEqual(value)
})

function* leaves(value: unknown, path: FieldPath): Generator<[FieldPath, unknown]> {
  if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* leaves(item, [...path, i])
  else if (value !== null && typeof value === 'object')
    for (const [name, item] of Object.entries(value)) yield* leaves(item, [...path, name])
  else yield [path, value]
}

/** The value that stands in the text between two places, read as JSON (which double-quoted YAML is, in these tests). */
function textAt(
  text: string,
  { line, column, endLine, endColumn }: { line: number; column: number; endLine: number; endColumn: number },
): unknown {
  const lines = text.split('\n')
  const covered = lines.slice(line - 1, endLine)
  covered[covered.length - 1] = covered.at(-1)!.slice(0, endColumn - 1)
  covered[0] = covered[0]!.slice(column - 1)
  const found = covered.join('\n')
  return found.startsWith('"')
    ? load(`apiVersion: a\nkind: b\nmetadata: {name: a}\nx: ${found}`)[0]!.manifest['x']
    : plainScalar(found)
}
