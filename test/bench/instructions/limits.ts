/**
 * Instructions that one operation may take at most. arm64: the limits of the performance specification, a sixth to a third above
 * what was measured first. armv7: a tenth above what was measured first.
 */
import type { Machine, Operation } from './count.ts'

export const INSTRUCTION_LIMITS: Readonly<Record<Machine, Readonly<Record<Operation, number>>>> = {
  arm64: { sign: 330_000, verify: 380_000, recover: 430_000, keccak: 16_000 },
  armv7: { sign: 760_000, verify: 1_350_000, recover: 1_480_000, keccak: 18_200 },
}
