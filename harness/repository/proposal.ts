import { dirname } from 'node:path/posix'
import { commandText } from '../platform/render-words.ts'
import type { Deployer } from './deployers.ts'
import type { FoundChart, Survey } from './survey.ts'
import { kustomizeCommand } from './tools.ts'

/** Where the manifests of a repository are, as `seatrial.yaml` would say it. */
export interface Proposal {
  readonly manifests: readonly string[]
  readonly render: readonly ProposedCommand[]
}

/** One that is `off` is written as a comment: another environment than the one that is judged. */
export interface ProposedCommand {
  readonly argv: readonly string[]
  readonly why: string
  readonly off: boolean
}

const PRODUCTION = /(^|[-_./])(prod|production|prd|live)([-_./]|$)/i

/** What Argo CD and Flux objects render goes before what charts would render by themselves. */
export function propose({ charts, kustomizations, manifests }: Survey, deployers: readonly Deployer[]): Proposal {
  const deployed = deployers.flatMap(({ command, id }): ProposedCommand[] =>
    command ? [{ argv: command, why: `as ${id} deploys it`, off: false }] : [],
  )
  const rendered = new Set(deployed.flatMap(({ argv }) => argv))
  return {
    manifests: [
      ...groupedByFolder(manifests),
      ...deployers.flatMap((deployer) => (deployer.manifests ? [deployer.manifests] : [])),
    ].filter((one, i, all) => all.indexOf(one) === i),
    render: [
      ...deployed,
      ...charts.filter(({ folder }) => !rendered.has(folder)).flatMap(ofChart),
      ...ofKustomizations(kustomizations.filter((folder) => !rendered.has(folder))),
    ],
  }
}

function ofChart({ name, folder, values }: FoundChart): ProposedCommand[] {
  const command = (file: string | undefined) => ['helm', 'template', name, folder, ...(file ? ['-f', file] : [])]
  const chosen = values.find((file) => PRODUCTION.test(file)) ?? (values.length === 1 ? values[0] : undefined)
  const others = values.filter((file) => file !== chosen)
  return [
    { argv: command(chosen), why: `the chart ${name}${chosen ? '' : ' with its own values'}`, off: false },
    ...others.map((file) => ({ argv: command(file), why: 'another environment', off: true })),
  ]
}

/** Overlays that lie side by side are environments of one thing: one of them is judged. */
function ofKustomizations(folders: readonly string[]): ProposedCommand[] {
  const groups = Map.groupBy(folders, dirname)
  return [...groups.values()].flatMap((overlays) => {
    const chosen = overlays.find((folder) => PRODUCTION.test(folder)) ?? overlays[0]
    return [...overlays]
      .sort((a, b) => Number(b === chosen) - Number(a === chosen))
      .map((folder) => ({
        argv: kustomizeCommand(folder),
        why: folder === chosen ? `the kustomization ${folder}` : 'another environment',
        off: folder !== chosen,
      }))
  })
}

/** Files of one folder as a pattern: what is rendered may lie in folders below. */
function groupedByFolder(files: readonly string[]): string[] {
  const groups = Map.groupBy(files, dirname)
  return [...groups].flatMap(([folder, inside]) => {
    const extensions = new Set(inside.map((file) => file.slice(file.lastIndexOf('.'))))
    if (inside.length < 4 || folder === '.') return inside
    return [...extensions].map((extension) => `${folder}/*${extension}`)
  })
}

/** What of a proposal a configuration does not say: commands and paths, in words. */
export function missingFrom(
  { manifests, render }: Proposal,
  given: { readonly render: readonly (readonly string[])[]; readonly isRead: (path: string) => boolean },
): string[] {
  const words = new Set(given.render.flat().map(normal))
  const sources = (argv: readonly string[]) =>
    argv.slice(1).filter((word) => word.includes('/') || words.has(normal(word)))
  return [
    ...render
      .filter(({ argv, off }) => !off && !sources(argv).some((word) => words.has(normal(word))))
      .map(({ argv }) => `render: ${commandText(argv)}`),
    ...manifests.filter((path) => !given.isRead(path)).map((path) => `manifests: ${path}`),
  ]
}

const normal = (path: string): string => path.replace(/^\.\//, '').replace(/\/+$/, '')
