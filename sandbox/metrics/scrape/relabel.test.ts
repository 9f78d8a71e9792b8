// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the templates are Prometheus' own
import { describe, expect, it } from 'vitest'
import { expand } from './expand.ts'
import { type RelabelInput, relabel, relabelRule } from './relabel.ts'

const relabelled = (labels: Record<string, string>, ...rules: RelabelInput[]) => {
  const map = new Map(Object.entries(labels))
  return relabel(map, rules.map(relabelRule)) ? Object.fromEntries(map) : undefined
}

// expectations follow model/relabel/relabel_test.go of prometheus/prometheus
describe('relabelling', () => {
  it('replaces by a regex over joined labels, and deletes what becomes empty', () => {
    const a = { a: 'foo', b: 'bar', c: 'baz' }
    expect(
      relabelled(a, {
        source_labels: ['a'],
        regex: 'f(.*)',
        target_label: 'd',
        separator: ';',
        replacement: 'ch${1}-ch${1}',
      }),
    ).toEqual({ ...a, d: 'choo-choo' })
    expect(
      relabelled(
        a,
        { source_labels: ['a', 'b'], regex: 'f(.*);(.*)r', target_label: 'a', replacement: 'b${1}${2}m' },
        { source_labels: ['c', 'a'], regex: '(b).*b(.*)ba(.*)', target_label: 'd', replacement: '$1$2$2$3' },
      ),
    ).toEqual({ a: 'boobam', b: 'bar', c: 'baz', d: 'boooom' })
    expect(relabelled(a, { regex: 'none', source_labels: ['a'], target_label: 'd' })).toEqual(a)
    expect(relabelled(a, { source_labels: ['a'], regex: 'foo', target_label: 'b', replacement: '' })).toEqual({
      a: 'foo',
      c: 'baz',
    })
  })

  it('keeps, drops, compares', () => {
    const a = { a: 'foo', b: 'foo' }
    expect(relabelled(a, { action: 'drop', source_labels: ['a'], regex: '.*o.*' })).toBeUndefined()
    // anchored: part of a value is no match
    expect(relabelled(a, { action: 'drop', source_labels: ['a'], regex: 'o' })).toEqual(a)
    expect(relabelled(a, { action: 'keep', source_labels: ['a'], regex: 'no' })).toBeUndefined()
    expect(relabelled(a, { action: 'keepequal', source_labels: ['a'], target_label: 'b' })).toEqual(a)
    expect(relabelled(a, { action: 'dropequal', source_labels: ['a'], target_label: 'b' })).toBeUndefined()
  })

  it('hashes, maps and changes case', () => {
    expect(
      relabelled(
        { a: 'foo', b: 'bar', c: 'baz' },
        { action: 'hashmod', source_labels: ['c'], target_label: 'd', modulus: 1000 },
      ),
    ).toMatchObject({ d: '976' })
    expect(
      relabelled({ a: 'foo', b1: 'bar' }, { action: 'labelmap', regex: '(b.*)', replacement: 'bar_${1}' }),
    ).toEqual({
      a: 'foo',
      b1: 'bar',
      bar_b1: 'bar',
    })
    expect(relabelled({ a: '1', b1: '2', b2: '3' }, { action: 'labeldrop', regex: '(b.*)' })).toEqual({ a: '1' })
    expect(relabelled({ a: '1', b1: '2', b2: '3' }, { action: 'labelkeep', regex: '(b.*)' })).toEqual({
      b1: '2',
      b2: '3',
    })
    expect(relabelled({ a: 'fOo' }, { action: 'uppercase', source_labels: ['a'], target_label: 'b' })).toMatchObject({
      b: 'FOO',
    })
    expect(relabelled({ a: 'fOo' }, { action: 'Lowercase', source_labels: ['a'], target_label: 'b' })).toMatchObject({
      b: 'foo',
    })
  })

  it('refuses what Prometheus refuses', () => {
    expect(() => relabelRule({ action: 'hashmod', target_label: 'x' })).toThrow('requires non-zero modulus')
    expect(() => relabelRule({ action: 'replace' })).toThrow("requires 'target_label' value")
    expect(() => relabelRule({ action: 'nonsense', target_label: 'x' })).toThrow('unknown relabel action "nonsense"')
    expect(() => relabelRule({ source_labels: ['a'], target_label: 'b', regex: '(?=x)' })).toThrow('Perl syntax')
  })
})

it('names in templates are as long as Go reads them', () => {
  const match = /(?<x>a)(b)/.exec('ab')!
  expect(expand('$1-${2}-$x-${x}', match)).toBe('a-b-a-a')
  expect(expand('$1_y', match)).toBe('')
  expect(expand('${1}_y', match)).toBe('a_y')
  expect(expand('$$1 $9', match)).toBe('$1 ')
})
