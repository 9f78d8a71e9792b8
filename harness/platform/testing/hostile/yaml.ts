import { and, either, type HostileCase, hostile, WELL } from './case.ts'

const configMap = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${data}`
const bytes = (...values: number[]) => Uint8Array.from(values)
const joined = (...parts: (string | Uint8Array)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)))

/** Bombs, depths, lengths, encodings and things that are no YAML, or not the YAML that was meant. */
export const yamlCases = (): HostileCase[] => [...bombs, ...depths, ...lengths, ...encodings, ...tags, ...strangers]

const tenfold = (levels: number) =>
  [
    'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
    ...Array.from({ length: levels }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`),
  ]
    .map((line) => `  ${line}`)
    .join('\n')

const bombs: HostileCase[] = [
  ...[5, 9, 20, 100].map((levels) =>
    hostile(`aliases tenfold, ${levels} levels`, configMap(`data:\n${tenfold(levels)}`)),
  ),
  hostile('a merge of itself', configMap('data: &d\n  <<: *d\n  a: b')),
  hostile('merges round in a circle', configMap('data:\n  a: &a\n    <<: *b\n  b: &b\n    <<: *a')),
  hostile(
    'merges that double 30 times',
    configMap(
      `data: {a: b}\nm0: &m0 {k: v}\n${Array.from({ length: 30 }, (_, i) => `m${i + 1}: &m${i + 1} {<<: [*m${i}, *m${i}]}`).join('\n')}`,
    ),
  ),
  hostile('an alias within its own anchor', configMap('data: &a [*a]')),
  hostile('20,000 aliases of one large map', () =>
    configMap(
      `data: {a: b}\nbig: &big {${Array.from({ length: 100 }, (_, i) => `k${i}: v`).join(', ')}}\nall: [${Array(20_000).fill('*big').join(', ')}]`,
    ),
  ),
  hostile(
    '10,000 anchors that nothing uses',
    () => Array.from({ length: 10_000 }, (_, i) => `a${i}: &a${i} x`).join('\n'),
    {
      noLine: true,
    },
  ),
  hostile('an anchor that is not there', configMap('data: *nothing')),
]

const depths: HostileCase[] = [
  ...['[', '{a: ', '- ', '? ', '[{a: ', '"a": [', '!!seq [', '&a ['].map((open) =>
    hostile(`100,000 times «${open}»`, () => open.repeat(100_000)),
  ),
  hostile('100,000 levels of JSON, closed', () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`),
  hostile('indentation 2,000 levels deep', () =>
    Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''),
  ),
  hostile('300 levels in an annotation object', configMap(`data: {a: ${'{b: '.repeat(300)}c${'}'.repeat(300)}}`)),
  hostile('Lists in Lists, 300 deep', () => {
    const open = '{"apiVersion":"v1","kind":"List","items":['
    return `${open.repeat(300)}${']}'.repeat(300)}`
  }),
]

const lengths: HostileCase[] = [
  hostile('a million lines of text', () => 'no colon here\n'.repeat(1e6), { noLine: true, expect: 'either' }),
  hostile('a million empty lines', () => '\n'.repeat(1e6), { noLine: true }),
  hostile('a million comments', () => '# nothing\n'.repeat(1e6), { noLine: true }),
  hostile('100,000 times the same key', () => 'a: b\n'.repeat(100_000)),
  hostile('10,000 documents of nothing', () => '---\n'.repeat(10_000), { noLine: true }),
  hostile('10,000 documents with a mistake each', () => '---\na: b: c\n'.repeat(10_000)),
  hostile('60,000 documents', () => '---\na: b\n'.repeat(60_000)),
  hostile('a quote that never ends, two megabytes', () => `a: "${'b'.repeat(2e6)}`),
  hostile('a block of ten megabytes where a number is due', () =>
    WELL.replace('replicas: 1', `replicas: |\n    ${'1'.repeat(1e7)}`),
  ),
  hostile('a key of five megabytes', () => `${WELL}${'k'.repeat(5e6)}: 1\n`),
  hostile('a name of five megabytes', () => WELL.replace('{name: chat}', `{name: ${'n'.repeat(5e6)}}`)),
  hostile('a line of 100,000 colons', () => ': '.repeat(100_000)),
  hostile('a line of 100,000 commas', () => `[${','.repeat(100_000)}]`),
  hostile('100,000 question marks', () => '? \n'.repeat(100_000)),
  hostile('100,000 bars', () => '|'.repeat(100_000)),
  hostile('100,000 quotes', () => `'`.repeat(100_001), { noLine: true, expect: 'either' }),
  hostile('100,000 directives', () => '%YAML 1.2\n'.repeat(100_000)),
  hostile('200,000 items in a list of arguments', () =>
    WELL.replace('["--model=Qwen/Qwen3-8B", "--max-model-len=4096"]', `[${'1,'.repeat(200_000)}1]`),
  ),
  either('50,000 labels', () =>
    WELL.replace(
      'labels: {app: chat}}\n    spec',
      `labels: {app: chat, ${Array.from({ length: 50_000 }, (_, i) => `l${i}: v`).join(', ')}}}\n    spec`,
    ),
  ),
]

const encodings: HostileCase[] = [
  hostile('no byte at all', '', { noLine: true }),
  hostile('a NUL', 'apiVersion: v1\u0000'),
  hostile('NULs only', new Uint8Array(100_000)),
  hostile('an ELF binary', joined(bytes(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0), new Uint8Array(1000).fill(0xcc))),
  hostile('a gzip', bytes(0x1f, 0x8b, 8, 0, 0, 0, 0, 0)),
  hostile('a PNG', bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)),
  hostile('Latin-1', joined('kind: ', bytes(0xe9, 0x0a))),
  hostile('an overlong slash', joined('kind: ', bytes(0xc0, 0xaf))),
  hostile('half a surrogate', joined('kind: ', bytes(0xed, 0xa0, 0x80))),
  hostile('UTF-8 cut off in a letter', joined('kind: ', bytes(0xf0, 0x9f, 0x98))),
  hostile('a megabyte of broken UTF-8', () => new Uint8Array(1e6).fill(0xff, 2).fill(0x61, 0, 2)),
  hostile('UTF-16 without a mark', Buffer.from('kind: Pod\n', 'utf16le')),
  hostile('UTF-16 of an odd length', joined(bytes(0xff, 0xfe), Buffer.from('kind: Pod', 'utf16le'), bytes(0x41)), {
    expect: 'either',
    noLine: true,
  }),
  hostile('a mark and nothing', bytes(0xef, 0xbb, 0xbf), { noLine: true }),
  hostile('three marks', joined(bytes(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf), 'kind: Pod\n'), {
    noLine: true,
  }),
  hostile('a mark in UTF-16 and nothing', bytes(0xff, 0xfe), { noLine: true }),
  { ...hostile('a mark before what is well', joined(bytes(0xef, 0xbb, 0xbf), WELL)), expect: 'taken' },
  { ...hostile('UTF-16 with a mark', joined(bytes(0xff, 0xfe), Buffer.from(WELL, 'utf16le'))), expect: 'taken' },
  { ...hostile('Windows line ends', WELL.replaceAll('\n', '\r\n')), expect: 'taken' },
  either('old Macintosh line ends', WELL.replaceAll('\n', '\r')),
  hostile('tabs', WELL.replaceAll('  ', '\t')),
  hostile('an escape to the terminal', 'kind: \u001b[31mPod\n'),
  hostile('a backspace', 'kind: Pod\b\n'),
  hostile('an escape in a syntax error', 'a: \u009b31m b: c\n'),
]

const tags: HostileCase[] = [
  ...[
    ['!!js/function', '"function () { return 1 }"'],
    ['!!js/regexp', '/a/'],
    ['!!js/undefined', "''"],
    ['!!python/object/apply:os.system', '["id"]'],
    ['!!python/name:os.system', "''"],
    ['!ruby/object:Gem::Installer', '{i: x}'],
    ['!include', '/etc/passwd'],
    ['!!set', '{a, b}'],
    ['!!omap', '[a: b]'],
    ['!!timestamp', '2001-12-14'],
    ['!!float', '1'],
    ['!<tag:yaml.org,2002:js/function>', 'x'],
    ['!Ref', 'x'],
  ].map(([tag, value]) => hostile(`the tag ${tag}`, configMap(`data: {a: ${tag} ${value}}`))),
]

const strangers: HostileCase[] = [
  hostile('JSON with comments', '{"apiVersion": "v1", // core\n "kind": "ConfigMap", "metadata": {"name": "a"}}'),
  hostile(
    'JSON with a block comment',
    '{"apiVersion": "v1", /* core */ "kind": "ConfigMap", "metadata": {"name": "a"}}',
  ),
  hostile('JSON cut off', '{"apiVersion": "v1", "kind": "Conf'),
  hostile(
    'two JSON objects in a row',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}{"apiVersion":"v1"}',
  ),
  hostile('JSON lines of numbers', '1\n2\n3\n', { noLine: true }),
  hostile('XML', '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "&a;">]><a>&b;</a>', { noLine: true, expect: 'either' }),
  hostile('HTML', '<html>\n<head>\n<title>404: Not Found</title>\n', { noLine: true }),
  hostile('TOML', '[package]\nname = "a"\n'),
  hostile('a shell script', '#!/bin/sh\nrm -rf "$HOME"\n', { noLine: true }),
  hostile('a number', '42', { noLine: true }),
  hostile('null', 'null', { noLine: true }),
  hostile('a list', '[1, 2, 3]', { noLine: true }),
  hostile('three dots', '...', { noLine: true }),
  hostile('a Helm template', '{{- if .Values.a }}\napiVersion: v1\n{{- end }}\n'),
  hostile('a Helm template that loops', '{{- range until 1000000 }}\na: b\n{{- end }}\n'),
  hostile('Jinja', '{% for i in range(10**9) %}\na: {{ i }}\n{% endfor %}\n'),
  hostile(
    'a conflict of git',
    `${WELL.slice(0, 60)}<<<<<<< HEAD\n  replicas: 1\n=======\n  replicas: 2\n>>>>>>> theirs\n`,
  ),
  hostile('a diff', '--- a/x.yaml\n+++ b/x.yaml\n@@ -1 +1 @@\n-a: b\n+a: c\n'),
  hostile('a variable in an image', WELL.replace('v0.11.0', '$' + '{TAG}')),
  hostile('a kind of an Object prototype', 'apiVersion: v1\nkind: __proto__\nmetadata: {name: a}\n', {
    expect: 'either',
  }),
  hostile('an apiVersion of an Object prototype', 'apiVersion: constructor\nkind: toString\nmetadata: {name: a}\n', {
    expect: 'either',
    noLine: true,
  }),
  hostile('a kind without end', `apiVersion: v1\nkind: ${'K'.repeat(1e6)}\nmetadata: {name: a}\n`, {
    expect: 'either',
    noLine: true,
  }),
  hostile('a List of 300 mistakes', and(`apiVersion: v1\nkind: List\nitems: [${'x, '.repeat(300)}x]`)),
  hostile('a List in itself', and('apiVersion: v1\nkind: List\nitems: &i [{apiVersion: v1, kind: List, items: *i}]')),
  hostile(
    'a kustomization round in a circle',
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [.]\n',
    {
      noLine: true,
    },
  ),
]
