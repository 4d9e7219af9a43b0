/** Prices, happy hours, free trials: pure. From a tariff and a moment to what is on offer; a price is rounded up to a unit. */
export type { TariffMoment } from './happy-hour.ts'
export { priceBoard } from './price.ts'
export { TRIAL_DAY_MS, ageOf, isDayOver } from './trial.ts'
export type { AgeMark, TrialUse } from './trial.ts'
export { packageTerms, trialAllotment, voucherAllotment } from './terms.ts'
