/**
 * fast-check as every test gets it (vitest.config.ts): the same inputs in each run, so that a run says something of the
 * change and not of its luck. Other inputs: MESHBOX_FUZZ_SEED=NUMBER.
 */
import fc from '../../node_modules/fast-check/lib/fast-check.js'

fc.configureGlobal({ seed: Number(process.env.MESHBOX_FUZZ_SEED ?? 20_261_122) })
export default fc
