import { defineConfig } from 'vitest/config'

/** Tests that need more than Node: `npm run test:<name>` runs `*.<name>.test.ts`. */
const TIERS = ['local', 'kind', 'oracle', 'vllm'] as const

const base = { testTimeout: 30_000, pool: 'threads' as const }
const never = ['node_modules/**', 'dist/**']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...base,
          name: 'default',
          include: ['**/*.test.ts'],
          exclude: [...never, ...TIERS.map((tier) => `**/*.${tier}.test.ts`)],
        },
      },
      ...TIERS.map((tier) => ({
        test: { ...base, name: tier, include: [`**/*.${tier}.test.ts`], exclude: never, testTimeout: 120_000 },
      })),
    ],
  },
})
