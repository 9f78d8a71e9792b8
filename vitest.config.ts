import { defineConfig } from 'vitest/config'

/** Tests that need more than Node: `npm run test:<name>` runs `*.<name>.test.ts`, after the setup where there is one. */
const TIERS: Readonly<Record<string, { globalSetup?: string }>> = {
  local: { globalSetup: './sandbox/tiers/control-plane/local-tests.ts' },
  kind: {},
  oracle: { globalSetup: './fixtures/oracles/figures.ts' },
  wire: {},
  load: { globalSetup: './harness/load/k6/testing/setup.ts' },
  vllm: {},
}

/** What is loaded holds nothing of a test, so that a thread loads it once for all its files. */
const base = {
  testTimeout: 30_000,
  pool: 'threads' as const,
  isolate: false,
  setupFiles: ['./fixtures/property-tests/seed.ts'],
}
const never = ['node_modules/**', 'dist/**']

export default defineConfig({
  test: {
    // the thread that hands out the files does next to nothing itself
    maxWorkers: '100%',
    projects: [
      {
        test: {
          ...base,
          name: 'default',
          include: ['**/*.test.ts'],
          exclude: [...never, ...Object.keys(TIERS).map((tier) => `**/*.${tier}.test.ts`)],
        },
      },
      ...Object.entries(TIERS).map(([name, setup]) => ({
        test: { ...base, ...setup, name, include: [`**/*.${name}.test.ts`], exclude: never, testTimeout: 120_000 },
      })),
    ],
  },
})
