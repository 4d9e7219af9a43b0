/** Reporter of vitest: writes how long each file took, in ms with its imports and hooks, as JSON to the file that MESHBOX_TEST_TIMES names. */
import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

export default class TimesReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const path = process.env['MESHBOX_TEST_TIMES']
    if (path === undefined) return
    const took = modules.map((module) => {
      const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = module.diagnostic()
      return [module.relativeModuleId, environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration] as const
    })
    writeFileSync(path, JSON.stringify(Object.fromEntries(took)))
  }
}
