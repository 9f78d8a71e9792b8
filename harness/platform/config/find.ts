import { existsSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { PlatformError } from '../errors.ts'
import { LIMITS, type Limits } from '../limits.ts'
import { readAll, type TextFile } from '../read.ts'
import type { SeatrialConfig } from './config.ts'
import { SNAPSHOT_FILE, withSnapshot } from './snapshot.ts'

export interface FindConfigOptions {
  readonly paths: readonly string[]
  readonly cwd: string
  readonly config?: string
  /** The text of a configuration that is in no file yet. */
  readonly configText?: TextFile
  readonly limits?: Limits
}

export interface FoundConfig {
  readonly config?: SeatrialConfig
  /** As the user would name it. */
  readonly configFile?: string
  readonly errors: readonly PlatformError[]
}

const NAMES = ['seatrial.yaml', 'seatrial.yml']

/** Finds and reads the configuration. The schema library is loaded only when there is one. */
export async function readConfig(options: FindConfigOptions): Promise<FoundConfig> {
  const limits = options.limits ?? LIMITS
  if (options.configText) {
    const { parseConfig } = await import('./parse.ts')
    return { configFile: options.configText.file, ...parseConfig(options.configText, limits) }
  }
  const path = options.config ?? findConfig(options, NAMES)
  const found = path === undefined ? undefined : await readFile(path, options.cwd, limits)
  const beside = path === undefined ? findConfig(options, [SNAPSHOT_FILE]) : join(dirname(path), SNAPSHOT_FILE)
  const isThere = beside !== undefined && existsSync(resolve(options.cwd, beside))
  const snapshot = isThere ? await readFile(beside, options.cwd, limits) : undefined
  if (found && !found.config) return found
  const config = withSnapshot(found?.config, snapshot?.config)
  const configFile = found?.configFile ?? snapshot?.configFile
  return {
    ...(config ? { config } : {}),
    ...(configFile === undefined ? {} : { configFile }),
    errors: [...(found?.errors ?? []), ...(snapshot?.errors ?? [])],
  }
}

async function readFile(path: string, cwd: string, limits: Limits): Promise<FoundConfig> {
  const { files, errors } = await readAll([path], cwd, limits)
  const file = files[0]
  if (!file) return { errors }
  const { parseConfig } = await import('./parse.ts')
  return { configFile: file.file, ...parseConfig(file, limits) }
}

/** Whether a file among the manifests is a configuration of Seatrial, not a manifest. */
export const isConfigFile = (file: string, configFile: string | undefined): boolean =>
  file === configFile || /(^|\/)seatrial(\.snapshot)?\.ya?ml$/.test(file)

function findConfig({ paths, cwd }: FindConfigOptions, names: readonly string[]): string | undefined {
  const folders = [
    ...paths
      .filter((path) => path !== '-')
      .slice(0, 1)
      .map((path) => folderOf(resolve(cwd, path))),
    cwd,
  ]
  for (const folder of folders) {
    for (const name of names) {
      const file = join(folder, name)
      if (existsSync(file)) return relative(cwd, file) || file
    }
  }
  return undefined
}

function folderOf(path: string): string {
  try {
    return statSync(path).isDirectory() ? path : resolve(path, '..')
  } catch {
    return resolve(path, '..')
  }
}
