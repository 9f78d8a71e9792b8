import { expect, it } from 'vitest'
import { catalog } from './catalog.ts'
import { configSchemaFile } from './config-schema.ts'
import { differs } from './outputs.ts'
import { registries } from './registries.ts'

it('generated files are what `npm run update` writes', () => {
  const stale = [...registries(), catalog(), configSchemaFile()].filter(differs).map(({ path }) => path)
  expect(stale).toEqual([])
})

it('lists what there is', () => {
  const members = (path: string) => registries().find((output) => output.path === path)!.text
  expect(members('scenarios/index.ts')).toContain(`import rolloutOnFullGpus from './rollout-on-full-gpus/scenario.ts'`)
  expect(members('harness/faults/index.ts')).toContain(`import { newImage } from './new-image.ts'`)
  expect(members('fixtures/gpus/index.ts')).not.toMatch(/DEFAULT_FIT|lookup|gpuById/)
  expect(members('fixtures/models/index.ts')).toContain('...qwen')
})
