/** "If soil of field-3 is below 20 for 10 min, open valve 3 for 10 min": on the box, without the Internet, first as a dry run. */
export { BoxRules } from './box-rules.ts'
export type { BoxRulesParts } from './box-rules.ts'
export { parseRule, ruleText } from './text.ts'
export type { RuleDeed } from './text.ts'
export { checkRule } from './rule.ts'
export { trialOf } from './trial.ts'
export type { LocalRule } from './rule.ts'
export { ruleMigrations, ruleTables } from './io/tables.ts'
