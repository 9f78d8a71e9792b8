import { existsSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { PlatformError } from '../errors.ts'
import { LIMITS, type Limits } from '../limits.ts'
import { readAll, type TextFile } from '../read.ts'
import type { SeatrialConfig } from './config.ts'

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
  const path = options.config ?? findConfig(options)
  if (path === undefined) return { errors: [] }
  const { files, errors } = await readAll([path], options.cwd, limits)
  const file = files[0]
  if (!file) return { errors }
  const { parseConfig } = await import('./parse.ts')
  return { configFile: file.file, ...parseConfig(file, limits) }
}

/** Whether a file among the manifests is a configuration of Seatrial, not a manifest. */
export const isConfigFile = (file: string, configFile: string | undefined): boolean =>
  file === configFile || /(^|\/)seatrial\.ya?ml$/.test(file)

function findConfig({ paths, cwd }: FindConfigOptions): string | undefined {
  const folders = [
    ...paths
      .filter((path) => path !== '-')
      .slice(0, 1)
      .map((path) => folderOf(resolve(cwd, path))),
    cwd,
  ]
  for (const folder of folders) {
    for (const name of NAMES) {
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
