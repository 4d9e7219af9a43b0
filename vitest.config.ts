import { defineConfig } from 'vitest/config'

// Three projects: pure and file-backed tests run side by side; tests that build network namespaces or
// drive a browser share the machine's kernel and run one file at a time.
const shared = { pool: 'forks' as const, testTimeout: 120_000, hookTimeout: 180_000 }
export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/unit/**/*.test.{ts,tsx}'] } },
      { test: { ...shared, name: 'sim', include: ['test/sim/**/*.test.ts'], testTimeout: 900_000 } },
      {
        test: {
          ...shared,
          name: 'real',
          include: ['test/netns/**/*.test.ts', 'test/browser/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
        },
      },
    ],
  },
})
