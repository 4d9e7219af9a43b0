/** What a rule would have done with readings that are kept. Pure: nothing is sent or stored, and no cool-down of the real rule is touched. */
import type { Moment } from '../../base/index.ts'
import type { Reading } from '../ports.ts'
import type { LocalRule } from './rule.ts'
import { NEW_WATCH, look } from './watch.ts'

/** `readings`: of the watched device, oldest first. Their wall clocks count, since they are of many starts of the box. */
export function trialOf(rule: LocalRule, readings: readonly Reading[]): readonly { readonly at: Moment; readonly because: string }[] {
  const { when } = rule
  const runs: { readonly at: Moment; readonly because: string }[] = []
  let watch = NEW_WATCH
  for (const { values, at } of readings) {
    const value = values?.find(({ name }) => name === when.value)
    if (value === undefined) continue
    const seen = look(watch, rule, value.value, at.wallMs)
    watch = seen.watch
    if (seen.verdict === 'fires') runs.push({ at, because: `${when.value} was ${JSON.stringify(value.value)}, ${when.is} ${JSON.stringify(when.than)}${when.forSeconds === 0 ? '' : ` for ${when.forSeconds} s`}` })
  }
  return runs
}
