import { existsSync, globSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import type { Position } from '../platform/errors.ts'
import { kustomizationIn } from '../platform/origins/kustomizations.ts'
import { groupOf, type Platform, type PlatformObject, sourceOf } from '../platform/platform.ts'
import { argoSources } from './argo.ts'
import type { DeployedSource } from './deployed-source.ts'
import { fluxSources } from './flux.ts'
import { kustomizeCommand } from './tools.ts'

/** An object whose controller deploys what is not among the manifests. */
export interface Deployer {
  /** `Application/argocd/chat`. */
  readonly id: string
  readonly at: Position
  /** What it deploys, in words: `charts/chat`. */
  readonly what: string
  /** The command that renders it, from the root; absent where it is not in this repository, or only a folder of manifests. */
  readonly command?: readonly string[]
  /** A folder of plain manifests to add. */
  readonly manifests?: string
  readonly lost: readonly string[]
}

/** Argo CD and Flux objects that deploy something which is not read. `root`: what commands are relative to. */
export function unfollowedDeployers(platform: Platform, root: string): Deployer[] {
  const places = [...new Set([root, ...repositoryRoots(root)])]
  return platform.objects.flatMap((object) =>
    sourcesOf(object, platform, places).flatMap((source) => {
      const folder = source.path === undefined ? undefined : folderAt(source.path, places)
      if (folder && isRead(folder, platform, root)) return []
      const { file, line, column } = sourceOf(object, 'kind')
      const base = { id: object.id, at: { file, line, column }, lost: source.lost }
      if (folder === undefined)
        return [{ ...base, what: source.remote ?? `${source.path ?? '.'} (not in this repository)` }]
      return [{ ...base, what: relativeTo(root, folder), ...howToRender(source, folder, root) }]
    }),
  )
}

function sourcesOf(object: PlatformObject, platform: Platform, places: readonly string[]): DeployedSource[] {
  const { apiVersion } = object.manifest
  const group = groupOf(apiVersion)
  if (group === 'argoproj.io') return argoSources(object.manifest, (pattern) => foldersLike(pattern, places))
  return group.endsWith('.toolkit.fluxcd.io') ? fluxSources(object.manifest, platform) : []
}

function howToRender(source: DeployedSource, folder: string, root: string): Pick<Deployer, 'command' | 'manifests'> {
  const shown = relativeTo(root, folder)
  if (existsSync(join(folder, 'Chart.yaml'))) {
    const values = source.valueFiles
      .map((file) => relativeTo(root, resolve(folder, file)))
      .filter((file) => existsSync(resolve(root, file)))
    return {
      command: [
        'helm',
        'template',
        source.release,
        shown,
        ...(source.namespace ? ['--namespace', source.namespace] : []),
        ...values.flatMap((file) => ['-f', file]),
        ...source.set.flatMap((setting) => ['--set', setting]),
      ],
    }
  }
  return kustomizationIn(folder) ? { command: kustomizeCommand(shown) } : { manifests: shown }
}

/** The folder above that git knows, where there is one. */
function repositoryRoots(root: string): string[] {
  for (let folder = root; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return [folder]
    if (dirname(folder) === folder) return []
  }
}

const folderAt = (path: string, places: readonly string[]): string | undefined =>
  places.map((place) => resolve(place, path.replace(/^\/+/, ''))).find(isFolder)

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

const foldersLike = (pattern: string, places: readonly string[]): string[] => {
  const place = places.find((one) => globSync(pattern, { cwd: one }).length > 0)
  return place === undefined
    ? []
    : globSync(pattern, { cwd: place })
        .filter((path) => isFolder(resolve(place, path)))
        .sort()
}

/** Whether objects made from the folder are among those of the platform. */
function isRead(folder: string, { objects }: Platform, root: string): boolean {
  const inside = (path: string) => path === folder || path.startsWith(`${folder}${sep}`)
  return objects.some(({ origin, parsed }) => {
    const sources = origin?.sources
    if (sources?.tool === 'helm') return inside(sources.chart)
    if (sources?.tool === 'kustomize') return inside(sources.root)
    return inside(resolve(root, parsed.source.file))
  })
}

function relativeTo(root: string, path: string): string {
  const name = relative(root, path) || '.'
  return sep === '/' ? name : name.split(sep).join('/')
}

/** What is to be said of it where nothing follows it. */
export function deployerText({ id, what, at }: Deployer): string {
  return `${id} (${at.file}:${at.line}) deploys ${what}, which is not among the manifests`
}

/** What to do about it, in one line. */
export function deployerFix({ command, manifests, lost }: Deployer, text: (argv: readonly string[]) => string): string {
  const without = lost.length > 0 ? ` (without its ${lost.join(', ')}, which no command line can say)` : ''
  if (command) return `Add to render: in seatrial.yaml, or run «seatrial init»: ${text(command)}${without}`
  if (manifests) return `Add to manifests: in seatrial.yaml, or run «seatrial init»: ${manifests}`
  return 'Render what it deploys and add the command to render: in seatrial.yaml, or pipe it to «seatrial verify -».'
}
