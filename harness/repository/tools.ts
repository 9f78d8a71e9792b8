import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Whether a program can be started by its name. `path`: the PATH to look in. */
export function isInstalled(program: string, path = process.env['PATH'] ?? ''): boolean {
  const names = process.platform === 'win32' ? [`${program}.exe`, `${program}.cmd`] : [program]
  return path.split(delimiter).some((folder) => folder !== '' && names.some((name) => existsSync(join(folder, name))))
}

/** The command that builds a folder: kustomize's own, or kubectl's where that is what there is. */
export const kustomizeCommand = (folder: string): string[] =>
  !isInstalled('kustomize') && isInstalled('kubectl')
    ? ['kubectl', 'kustomize', folder]
    : ['kustomize', 'build', folder]
