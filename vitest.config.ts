import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Four projects: pure and file-backed tests run side by side; tests that build network namespaces or
// drive a browser share the machine's kernel and run one file at a time; so do the emulated ARM machines,
// whose bounds are wide because an emulator is slow and may be one of two on a busy machine.
const resolve = { alias: { 'fast-check': fileURLToPath(new URL('test/support/fast-check.ts', import.meta.url)) } }
const shared = { pool: 'forks' as const, testTimeout: 300_000, hookTimeout: 300_000 }
export default defineConfig({
  test: {
    projects: [
      { resolve, test: { ...shared, name: 'unit', include: ['test/unit/**/*.test.{ts,tsx}'] } },
      { resolve, test: { ...shared, name: 'sim', include: ['test/sim/**/*.test.ts'], testTimeout: 900_000 } },
      {
        resolve,
        test: {
          ...shared,
          name: 'real',
          include: ['test/netns/**/*.test.ts', 'test/browser/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
        },
      },
      { test: { ...shared, name: 'qemu', include: ['test/qemu/**/*.test.ts'], fileParallelism: false, testTimeout: 1_200_000, hookTimeout: 1_200_000, disableConsoleIntercept: true } },
    ],
  },
})
