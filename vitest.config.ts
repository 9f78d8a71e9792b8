import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', '**/*.oracle.test.ts', '**/*.local.test.ts'],
    testTimeout: 30_000,
    pool: 'threads',
  },
})
