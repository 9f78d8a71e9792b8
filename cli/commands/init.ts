import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { judgePlatform } from '../../harness/judge-platform.ts'
import { configJsonSchema } from '../../harness/platform/config/json-schema.ts'
import { PlatformError, PlatformErrors } from '../../harness/platform/errors.ts'
import { listInputs } from '../../harness/platform/inputs/list.ts'
import { loadPlatform } from '../../harness/platform/load.ts'
import type { Platform } from '../../harness/platform/platform.ts'
import { commandText } from '../../harness/platform/render-words.ts'
import { inputsText, SCHEMA_PATH, sourcesText } from '../../harness/repository/config-text.ts'
import { type Deployer, deployerFix, deployerText, unfollowedDeployers } from '../../harness/repository/deployers.ts'
import { missingFrom, type Proposal, propose } from '../../harness/repository/proposal.ts'
import { type Survey, survey } from '../../harness/repository/survey.ts'
import { ownFolder } from '../../harness/runs/store.ts'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import { exitCodes } from '../exit-codes.ts'
import { inputText } from '../reporters/input-text.ts'
import { marks, style } from '../style.ts'

interface Options {
  dryRun?: boolean
  render?: boolean
}

const out = (line = '') => process.stdout.write(`${line}\n`)

/** Looks through a repository and writes a `seatrial.yaml` to begin with. It asks nothing and never writes over one that is there. */
export async function init(paths: readonly string[], options: Options): Promise<number> {
  const missing = paths.find((path) => !existsSync(resolve(path)))
  if (missing !== undefined)
    throw new PlatformError('UNREADABLE', `cannot read ${missing}`, {
      why: 'There is no such file or folder.',
      fix: 'Check the path, or leave it out to look through this folder.',
      at: { file: missing },
    })
  const first = resolve(paths[0] ?? '.')
  const root = statSync(first, { throwIfNoEntry: false })?.isDirectory() ? first : process.cwd()
  const found = survey(root, paths.length > 1 ? paths.map((path) => resolve(path)) : [first])
  const plain = await readAs(root, { manifests: found.manifests, render: [] }, options)
  const deployers = plain.platform ? unfollowedDeployers(plain.platform, root) : []
  const proposal = propose(found, deployers)
  for (const line of foundLines(found, proposal)) out(line)
  const existing = ['seatrial.yaml', 'seatrial.yml'].map((name) => join(root, name)).find((file) => existsSync(file))
  if (existing) return again(root, existing, proposal, options)
  if (proposal.manifests.length === 0 && proposal.render.length === 0) {
    out(`${style.yellow('nothing to judge found')} below ${shown(root)}: no manifests, no chart, no kustomization`)
    return exitCodes.nothingSelected
  }
  const read = await readAs(root, proposal, options)
  if (read.error) {
    out(`${style.yellow(marks.unsure)} the manifests could not be read yet, so inputs are not listed:`)
    for (const line of read.error.split('\n')) out(`    ${line}`)
  }
  const text = sourcesText(basename(root), proposal) + (read.platform ? serversText(read.platform) : '')
  for (const deployer of deployers.filter(({ command, manifests }) => !command && !manifests)) out(unfollowed(deployer))
  out()
  if (options.dryRun) {
    out(style.dim(`would write ${shown(join(root, 'seatrial.yaml'))}:`))
    process.stdout.write(text)
    return exitCodes.pass
  }
  writeFileSync(join(root, 'seatrial.yaml'), text, { flag: 'wx' })
  out(`wrote ${shown(join(root, 'seatrial.yaml'))}`)
  writeSchema(root)
  process.stderr.write(style.dim(`\nnext: npx seatrial plan ${shown(root)}\n`))
  return exitCodes.pass
}

/** A second run writes nothing but the schema, and says what the file does not say yet. */
async function again(root: string, file: string, proposal: Proposal, options: Options): Promise<number> {
  out(`${shown(file)} is there and stays as it is`)
  if (!options.dryRun) writeSchema(root)
  const read = await loaded({ paths: [root], config: file }, options)
  if (read.error) {
    out(`${style.yellow(marks.unsure)} it cannot be used yet:`)
    for (const line of read.error.split('\n')) out(`    ${line}`)
    return exitCodes.usage
  }
  const { platform } = read
  const files = new Set(platform!.files.map((one) => resolve(one)))
  const declared = platform!.config?.manifests !== undefined || platform!.config?.render !== undefined
  const missing = missingFrom(proposal, {
    render: (platform!.config?.render ?? []).map(({ run }) => run),
    isRead: (path) =>
      platform!.config?.manifests?.includes(path) === true ||
      [...files].some((one) => one.startsWith(resolve(root, path.replace(/[*].*$/, '')))),
  })
  const assumed = listInputs(judgePlatform(platform!, { capabilities: sim.capabilities }).inputs).filter(
    ({ input }) => input.origin === 'assumed',
  )
  if (declared && missing.length > 0) {
    out('\nnot in it:')
    for (const line of missing) out(`  ${line}`)
  }
  if (assumed.length > 0) {
    out('\nassumed, as it does not say:')
    const width = Math.max(...assumed.map(({ name }) => name.length))
    for (const { key, name, input } of assumed) out(`  ${name.padEnd(width)}  ${inputText(key, input.value)}`)
  }
  for (const deployer of unfollowedDeployers(platform!, root)) out(unfollowed(deployer))
  if (missing.length + assumed.length === 0) out('nothing is missing in it')
  return exitCodes.pass
}

function foundLines({ charts, kustomizations, manifests, cutShort }: Survey, { render }: Proposal): string[] {
  const mark = style.green(marks.pass)
  const judged = (path: string) =>
    render.some(({ argv, off }) => !off && argv.includes(path)) ? '' : style.dim('  (as a comment)')
  return [
    ...charts.map(
      ({ folder, values }) =>
        ` ${mark} chart ${folder}${values.length > 0 ? style.dim(`  ${values.map((file) => basename(file)).join(', ')}`) : ''}`,
    ),
    ...kustomizations.map((folder) => ` ${mark} kustomization ${folder}${judged(folder)}`),
    ...(manifests.length > 0
      ? [
          ` ${mark} ${manifests.length} file${manifests.length === 1 ? '' : 's'} of plain manifests${style.dim(`  ${manifests.slice(0, 3).join(', ')}${manifests.length > 3 ? ', …' : ''}`)}`,
        ]
      : []),
    ...(cutShort
      ? [` ${style.yellow(marks.unsure)} only the first folders were looked through: name the ones that count`]
      : []),
  ]
}

const unfollowed = (deployer: Deployer): string =>
  ` ${style.yellow(marks.unsure)} ${deployerText(deployer)}\n     ${deployerFix(deployer, commandText)}`

function serversText(platform: Platform): string {
  const { judgeables, inputs } = judgePlatform(platform, { capabilities: sim.capabilities })
  const servers = Object.keys(inputs.servers).map((id) => ({ id, name: nameIn(platform, id) }))
  for (const { key } of judgeables) out(` ${style.green(marks.pass)} inference server ${key}`)
  if (judgeables.length === 0)
    out(` ${style.yellow(marks.unsure)} no inference server among ${platform.objects.length} objects`)
  return servers.length > 0 ? inputsText(inputs, servers) : ''
}

/** How `seatrial.yaml` calls a server: by its name, or by its id where two have one name. */
function nameIn({ objects }: Platform, id: string): string {
  const { name } = objects.find((object) => object.id === id)!.manifest.metadata
  const same = objects.filter(({ manifest }) => manifest.metadata.name === name && manifest['spec'] !== undefined)
  return same.filter(({ manifest }) => /Deployment|StatefulSet/.test(manifest.kind)).length > 1 ? id : name
}

interface Read {
  readonly platform?: Platform
  readonly error?: string
}

/** The platform as it would be read with such a `seatrial.yaml`, or why it cannot be. */
const readAs = (root: string, proposal: Proposal, options: Options): Promise<Read> =>
  loaded(
    {
      paths: [root],
      configText: { file: relative(process.cwd(), join(root, 'seatrial.yaml')), text: sourcesText('init', proposal) },
    },
    options,
  )

async function loaded(
  what: Pick<Parameters<typeof loadPlatform>[0], 'paths' | 'config' | 'configText'>,
  { render }: Options,
): Promise<Read> {
  try {
    const platform = await loadPlatform({
      ...what,
      cwd: process.cwd(),
      ...(render === undefined ? {} : { render }),
      onRender: ({ argv }) => process.stderr.write(style.dim(`rendering: ${commandText(argv)}\n`)),
    })
    return { platform }
  } catch (error) {
    if (error instanceof PlatformErrors) return { error: error.message }
    if (error instanceof PlatformError) return { error: error.format() }
    throw error
  }
}

/** For editors; the folder is Seatrial's own and no version control sees it. */
function writeSchema(root: string): void {
  const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`
  ownFolder(root)
  const file = join(root, SCHEMA_PATH)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  writeFileSync(file, text)
  out(`wrote ${shown(file)}  ${style.dim('(for editors; not for version control)')}`)
}

const shown = (path: string): string => {
  const name = relative(process.cwd(), path) || '.'
  return name.startsWith('..') ? dirname(path) && path : name
}
