import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { globsOf } from './scripts/test/projects.ts'

// Five projects: pure and file-backed tests; those of the contracts; simulations; tests that build network namespaces or drive a browser; and the emulated ARM
// machines, whose bounds are wide because an emulator is slow and may be one of several on a busy machine. The latter two run one file
// after the other within one vitest. Files of `unit` share one process: what src/ has in modules is caches alone (docs/testing.md).
const resolve = { alias: { 'fast-check': fileURLToPath(new URL('test/support/fast-check.ts', import.meta.url)) } }
const shared = { pool: 'forks' as const, testTimeout: 300_000, hookTimeout: 300_000 }
export default defineConfig({
  test: {
    projects: [
      { resolve, test: { ...shared, name: 'unit', ...globsOf('unit'), isolate: false } },
      { resolve, test: { ...shared, name: 'contracts', ...globsOf('contracts') } },
      { resolve, test: { ...shared, name: 'sim', ...globsOf('sim'), testTimeout: 900_000 } },
      { resolve, test: { ...shared, name: 'real', ...globsOf('real'), globalSetup: ['test/support/global-setup.ts'], fileParallelism: false } },
      { test: { ...shared, name: 'qemu', ...globsOf('qemu'), fileParallelism: false, testTimeout: 1_200_000, hookTimeout: 1_200_000, disableConsoleIntercept: true } },
    ],
  },
})
