import type { HostileCase } from './hostile/case.ts'
import { configCases } from './hostile/configs.ts'
import { expressionCases } from './hostile/expressions.ts'
import { fieldCases } from './hostile/fields.ts'
import { nameCases } from './hostile/names.ts'
import { yamlCases } from './hostile/yaml.ts'

/** Every hostile text there is; files and streams are made by the test. */
export const hostileCases = (): HostileCase[] => [
  ...yamlCases(),
  ...fieldCases(),
  ...nameCases(),
  ...expressionCases(),
  ...configCases(),
]
