import { listInputs } from '../../harness/platform/inputs/list.ts'
import { nodesText } from '../../harness/uncertain-inputs.ts'
import type { Invalid } from '../../harness/verdict/verdict.ts'
import { scenarios } from '../../scenarios/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { load, nothingToJudge } from '../load.ts'
import { plural } from '../plural.ts'
import { inputText } from '../reporters/input-text.ts'
import { jsonText } from '../reporters/json-text.ts'
import { shown } from '../reporters/shown.ts'
import { style } from '../style.ts'
import { tierNamed } from '../tiers.ts'

interface Options {
  output: 'terminal' | 'json'
  json?: boolean
  config?: string
  tier: string
}

/** What `verify` would do: servers, scenarios, and every input with where it comes from. */
export async function plan(paths: readonly string[], options: Options): Promise<number> {
  const tier = await tierNamed(options.tier)
  const { platform, judgeables, inputs, unmodelled } = await load(paths, { ...options, tier })
  if (judgeables.length === 0 && unmodelled.length === 0) throw nothingToJudge(platform)
  const servers: Planned[] = judgeables.map((judgeable) => ({
    server: judgeable.key,
    scenarios: scenarios.map((scenario) => ({
      scenario: scenario.slug,
      unfit: judgeable.unfitFor(scenario),
      blockers: judgeable.unfitFor(scenario) ? [] : judgeable.blockersFor(scenario),
    })),
  }))
  const listed = listInputs(inputs).map(({ key, name, input }) => ({
    key,
    name,
    origin: input.origin,
    value: inputText(key, input.value),
    note: input.note,
  }))
  if (options.json || options.output === 'json') {
    process.stdout.write(
      `${jsonText({ schemaVersion: 1, platform: platform.name, tier: tier.name, servers: servers.map(asJson), inputs: listed, notes: platform.notes })}\n`,
    )
    return exitCodes.pass
  }
  const out = (line = '') => process.stdout.write(`${line}\n`)
  out(
    `${style.bold(`platform ${shown(platform.name)}`)} · ${plural(platform.objects.length, 'object')} in ${plural(platform.files.length, 'file')} · tier ${tier.name}`,
  )
  out(`nodes: ${shown(nodesText(inputs.nodes.value))} (${inputs.nodes.origin})`)
  if (judgeables[0]) for (const line of tier.plan({ ...judgeables[0].prepare({}), seed: 1 })) out(`  ${shown(line)}`)
  for (const { server, scenarios: fits } of shown(servers)) for (const line of serverLines(server, fits)) out(line)
  for (const { code, what } of shown(unmodelled)) out(`\n${style.yellow(code)} ${what}`)
  out(`\n${style.bold('inputs')}`)
  const width = Math.max(...listed.map((input) => input.name.length))
  for (const { name, origin, value, note } of shown(listed))
    out(
      `  ${name.padEnd(width)}  ${(origin === 'assumed' ? style.yellow : style.dim)(origin.padEnd(8))}  ${value}${origin === 'assumed' ? style.dim(`  ${note}`) : ''}`,
    )
  for (const taken of new Set(judgeables.flatMap((j) => j.taken))) out(style.dim(`note: ${shown(taken)}`))
  for (const { file, message } of shown(platform.notes)) out(style.dim(`note: ${file}: ${message}`))
  process.stderr.write(style.dim(`\nnext: npx seatrial verify ${paths.join(' ')}\n`))
  return exitCodes.pass
}

interface Planned {
  readonly server: string
  readonly scenarios: readonly {
    readonly scenario: string
    readonly unfit: string | undefined
    readonly blockers: readonly Invalid[]
  }[]
}

const asJson = ({ server, scenarios }: Planned) => ({
  server,
  scenarios: scenarios.map(({ scenario, unfit, blockers }) => ({
    scenario,
    unfit,
    blockers: blockers.map(({ code, what }) => `${code} ${what}`),
  })),
})

/** The scenarios of a server; what keeps some from being judged is numbered, and told once. */
function serverLines(server: string, fits: Planned['scenarios']): string[] {
  const problems: string[] = []
  const numberOf = ({ code, what, fix }: Invalid): string => {
    const text = `${code} ${what}\n${fix}`
    if (!problems.includes(text)) problems.push(text)
    return `[${problems.indexOf(text) + 1}]`
  }
  const width = Math.max(...fits.map(({ scenario }) => scenario.length))
  const lines = fits.map(({ scenario, unfit, blockers }) => {
    if (unfit) return `  ${scenario.padEnd(width)}  ${style.dim(`not applicable: ${unfit}`)}`
    if (blockers.length === 0) return `  ${scenario}`
    return `  ${scenario.padEnd(width)}  ${style.yellow(`INVALID ${[...new Set(blockers.map(numberOf))].join(' ')}`)}`
  })
  const told = problems.flatMap((text, i) => {
    const [what = '', fix = ''] = text.split('\n')
    return [`  ${style.yellow(`[${i + 1}]`)} ${what}`, style.dim(`      ${fix}`)]
  })
  return ['', style.bold(server), ...lines, ...told]
}
