import { globSync, statSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import type { SeatrialConfig } from './config/config.ts'
import { configSource } from './config/config.ts'
import { PlatformError } from './errors.ts'
import { LIMITS } from './limits.ts'
import type { LoadOptions } from './load.ts'
import { type Reading, readAll } from './read.ts'
import { type RenderCommand, render } from './render.ts'
import { commandText } from './render-words.ts'

/**
 * Reads what the user names. Where `seatrial.yaml` says `manifests` or `render`, its own folder (and the working directory) stands for what these say;
 * other paths are read as they are. Commands run only from the `seatrial.yaml` in use, after `onRender` was told.
 */
export async function readSources(
  options: LoadOptions,
  config: SeatrialConfig | undefined,
  configFile: string | undefined,
): Promise<Reading> {
  const { paths, cwd, stdin } = options
  const limits = options.limits ?? LIMITS
  if (!config || !configFile || !(config.manifests || config.render)) return readAll(paths, cwd, limits, stdin)
  const folder = dirname(resolve(cwd, configFile))
  const standsFor = (path: string) => path !== '-' && [folder, resolve(cwd)].includes(resolve(cwd, path))
  if (!paths.some(standsFor)) {
    const reading = await readAll(paths, cwd, limits, stdin)
    const unused = [...(config.manifests ? ['manifests'] : []), ...(config.render ? ['render'] : [])].join(' and ')
    reading.notes.push({
      file: configFile,
      message: `${unused} not used: the paths given are read instead (without a path, or with the folder of ${configFile}, they are)`,
    })
    return reading
  }
  const { paths: matched, errors } = matching(config, folder, cwd)
  const reading = await readAll([...matched, ...paths.filter((path) => !standsFor(path))], cwd, limits, stdin)
  reading.errors.push(...errors)
  for (const rendered of await renderAll(renderCommands(config, folder), options)) {
    if (rendered instanceof PlatformError) reading.errors.push(rendered)
    else reading.files.push(rendered)
  }
  return reading
}

/** The commands of a configuration, in its folder. */
export const renderCommands = (config: SeatrialConfig, folder: string): RenderCommand[] =>
  (config.render ?? []).map(({ run, timeout }, i) => {
    const { file, line, column } = configSource(config, ['render', i])
    return { argv: run, timeoutUs: timeout, cwd: folder, at: { file, line, column } }
  })

function renderAll(commands: readonly RenderCommand[], options: LoadOptions) {
  return Promise.all(
    commands.map(async (command) => {
      if (options.render === false) return refused(command)
      options.onRender?.(command)
      try {
        return await render(command, options.limits ?? LIMITS)
      } catch (error) {
        if (error instanceof PlatformError) return error
        throw error
      }
    }),
  )
}

/** The paths that `manifests:` means, as a user would name them; a pattern that means nothing is an error. */
function matching(config: SeatrialConfig, folder: string, cwd: string): { paths: string[]; errors: PlatformError[] } {
  const paths = new Set<string>()
  const errors: PlatformError[] = []
  for (const [i, pattern] of (config.manifests ?? []).entries()) {
    const found = isThere(resolve(folder, pattern))
      ? [pattern]
      : globSync(pattern, { cwd: folder })
          .filter((path) => !/(^|[\\/])(node_modules|\.[^\\/.][^\\/]*)([\\/]|$)/.test(path))
          .sort()
    if (found.length === 0) errors.push(noMatch(pattern, config, i))
    for (const path of found) paths.add(relative(cwd, resolve(folder, path)) || '.')
  }
  return { paths: [...paths], errors }
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined

const noMatch = (pattern: string, config: SeatrialConfig, index: number): PlatformError =>
  new PlatformError('NO_MATCH', `manifests: «${pattern}» matches no file and no folder`, {
    why: 'It is relative to the folder of this file; a part that is not there would go unjudged.',
    fix: 'Correct the path or the pattern (*, ** and ? are understood), or remove it.',
    at: configSource(config, ['manifests', index]),
  })

const refused = (command: RenderCommand): PlatformError =>
  new PlatformError('RENDER_REFUSED', `«${commandText(command.argv)}» was not run`, {
    why: '--no-render forbids the commands of seatrial.yaml, and what they render would go unjudged.',
    fix: `Run without --no-render, or pipe it: ${commandText(command.argv)} | seatrial verify -`,
    at: command.at,
  })
