/** What a change of the configuration did, in words. */
import type { ReloadReportJson } from '../../owner/api/index.ts'
import { wrap } from '../text.ts'

export function reloadText(report: ReloadReportJson): string {
  const applied = report.applied.length === 0 ? 'Nothing changed at run time.' : wrap(`In force now: ${report.applied.join(', ')}`)
  return report.needsRestart.length === 0 ? applied : `${applied}\n${wrap(`Needs a restart of the service: ${report.needsRestart.join(', ')}`)}`
}
