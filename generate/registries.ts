import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { NOTE, type Output, ROOT } from './outputs.ts'

/** A folder whose files are members of one list, and how the list is written. */
interface Registry {
  readonly folder: string
  /** The file that makes a folder a member; without it members are the `.ts` files. */
  readonly entry?: string
  /** What a member's file exports; the first group is its name. A default export is called after its folder. */
  readonly exports: RegExp
  /** Import of the members' type, as `Type from 'path'`. */
  readonly type: readonly [name: string, from: string]
  /** Everything below the imports. */
  body(names: readonly string[]): string
}

const REGISTRIES: readonly Registry[] = [
  {
    folder: 'scenarios',
    entry: 'scenario.ts',
    exports: /^export default defineScenario\(/m,
    type: ['Scenario', '../harness/scenario.ts'],
    body: (names) =>
      `/** Every scenario, in the order of slugs. */\n${list('export const scenarios: readonly Scenario[] = ', names)}\n`,
  },
  {
    folder: 'harness/faults',
    exports: /^export const (\w+) = fault[<(]/m,
    type: ['Fault', './fault.ts'],
    body: byName('fault', 'Fault'),
  },
  {
    folder: 'harness/expectations',
    exports: /^export const (\w+) = check[<(]/m,
    type: ['Check', './check.ts'],
    body: byName('check', 'Check'),
  },
  {
    folder: 'harness/remedies',
    exports: /^export const (\w+) = remedy\(/m,
    type: ['Remedy', './remedy.ts'],
    body: (names) =>
      `/** Every remedy. The first that knows the cause is asked. */\n${list('export const remedies: readonly Remedy[] = ', names)}\n`,
  },
  {
    folder: 'harness/parity/streams',
    exports: /^export const (\w+) = stream\(/m,
    type: ['Stream', '../stream.ts'],
    body: (names) =>
      `/** Every sort of decision that parity compares. */\n${list('export const streams: readonly Stream[] = ', names)}\n`,
  },
  {
    folder: 'fixtures/gpus',
    exports: /^export const (\w+): GpuSpec = /m,
    type: ['GpuSpec', './gpu.ts'],
    body: (names) =>
      `/** Every GPU the sandbox knows. */\n${list('export const gpus: readonly GpuSpec[] = ', names)}\n`,
  },
  {
    folder: 'fixtures/workloads',
    exports: /^export const (\w+): WorkloadPreset = /m,
    type: ['WorkloadPreset', './preset.ts'],
    body: (names) =>
      `/** Every usual kind of traffic. */\n${list('export const presets: readonly WorkloadPreset[] = ', names)}\n`,
  },
  {
    folder: 'fixtures/models',
    exports: /^export const (\w+)(?:: readonly ModelSpec\[\]|: ModelSpec\[\])? = \[/m,
    type: ['ModelSpec', './model.ts'],
    body: (names) =>
      `/** Public models whose shape is known. */\n${list(
        'export const models: readonly ModelSpec[] = ',
        names.map((name) => `...${name}`),
      )}\n`,
  },
]

interface Member {
  readonly name: string
  readonly from: string
  readonly byDefault: boolean
}

/** An `index.ts` for every folder of members, and the words in which scenarios call faults and checks. */
export function registries(): Output[] {
  const indexes = REGISTRIES.map((registry) => {
    const members = membersOf(registry)
    const imports = [
      importLine(`type { ${registry.type[0]} }`, registry.type[1]),
      ...members.map(({ name, from, byDefault }) => importLine(byDefault ? name : `{ ${name} }`, from)),
    ]
    const names = members.map(({ name }) => name)
    return {
      path: `${registry.folder}/index.ts`,
      text: `// ${NOTE}\n${sortedImports(imports)}\n\n${registry.body(names)}`,
    }
  })
  return [...indexes, words()]
}

/** `harness/words.ts`: a function of each fault's and check's name, which takes its parameters and gives the JSON of the call. */
function words(): Output {
  const [faults, checks] = ['harness/faults', 'harness/expectations'].map((folder) =>
    membersOf(REGISTRIES.find((registry) => registry.folder === folder)!),
  ) as [Member[], Member[]]
  const imports = [
    importLine('{ checkWord }', './expectations/check.ts'),
    importLine('{ faultWord }', './faults/fault.ts'),
    ...faults.map(({ name, from }) => importLine(`{ ${name} as ${name}Fault }`, from.replace('.', './faults'))),
    ...checks.map(({ name, from }) => importLine(`{ ${name} as ${name}Check }`, from.replace('.', './expectations'))),
  ]
  const lines = [
    `// ${NOTE}`,
    sortedImports(imports),
    '',
    "// The words of scenarios: `at('2m', newImage())`, `never(gpusIdle())`.",
    '',
    ...faults.map(({ name }) => `export const ${name} = faultWord(${name}Fault)`),
    ...checks.map(({ name }) => `export const ${name} = checkWord(${name}Check)`),
  ]
  return { path: 'harness/words.ts', text: `${lines.join('\n')}\n` }
}

function membersOf({ folder, entry, exports }: Registry): Member[] {
  const files = readdirSync(new URL(`${folder}/`, ROOT))
    .filter((file) =>
      entry
        ? existsSync(new URL(`${folder}/${file}/${entry}`, ROOT))
        : /(?<!\.test)\.ts$/.test(file) && file !== 'index.ts',
    )
    .sort((a, b) => (a.replace('.ts', '') < b.replace('.ts', '') ? -1 : 1))
  return files.flatMap((file) => {
    const path = entry ? `${file}/${entry}` : file
    const found = exports.exec(readFileSync(new URL(`${folder}/${path}`, ROOT), 'utf8'))
    if (!found) return []
    return [{ name: found[1] ?? camelCase(file), from: `./${path}`, byDefault: found[1] === undefined }]
  })
}

const camelCase = (slug: string): string => slug.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

function byName(word: string, type: string) {
  return (names: readonly string[]): string => {
    const map = `(${word}) => [${word}.name, ${word} as ${type}] as const`
    const inOne = `  [${names.join(', ')}].map(${map}),`
    const entries =
      inOne.length <= WIDTH
        ? [inOne]
        : `  [${names.join(', ')}].map(`.length <= WIDTH
          ? [`  [${names.join(', ')}].map(`, `    ${map},`, '  ),']
          : ['  [', ...names.map((name) => `    ${name},`), `  ].map(${map}),`]
    return [
      `/** Every ${word} by name. */`,
      `export const ${word}s: ReadonlyMap<string, ${type}> = new Map(`,
      ...entries,
      ')',
      '',
    ].join('\n')
  }
}

/** The formatter's line width. */
const WIDTH = 120

function list(start: string, items: readonly string[]): string {
  const inOne = `${start}[${items.join(', ')}]`
  return inOne.length <= WIDTH ? inOne : [`${start}[`, ...items.map((item) => `  ${item},`), ']'].join('\n')
}

const importLine = (what: string, from: string): string => `import ${what} from '${from}'`

/** In the order the linter wants: farther files first, then folder by folder, numbers by their value. */
function sortedImports(lines: readonly string[]): string {
  const natural = new Intl.Collator('en', { numeric: true })
  const parts = (line: string) => /'(.+)\.ts'/.exec(line)![1]!.split('/')
  const compare = (a: readonly string[], b: readonly string[]): number => {
    const i = a.findIndex((part, i) => part !== b[i])
    if (a[i] === '..' || b[i] === '..') return a[i] === '..' ? -1 : 1
    return natural.compare(a[i] ?? '', b[i] ?? '')
  }
  return [...lines].sort((a, b) => compare(parts(a), parts(b))).join('\n')
}
