import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { scenarios } from './index.ts'

it.each(scenarios.map(({ slug }) => slug))('%s tests its sample platforms', (slug) => {
  const test = readFileSync(new URL(`./${slug}/samples.test.ts`, import.meta.url), 'utf8')
  expect(test).toContain('testSamples(import.meta.url)')
})
