/**
 * What a node asks for letting an amount leave through one of its channels: photon.md 9.6, and 4.1 for the old form.
 *
 * fee = constant + ⌊amount·ppm/10⁶⌋ + ⌊imbalance⌋, never below 0. The imbalance term is the curve's rate, integrated
 * over the own balance from where it stands down to where the payment leaves it. An integral, because then a payment
 * in two parts costs what it costs in one (up to rounding), and nobody earns by going back and forth.
 *
 * `amount + fee` never falls when `amount` grows, since no rate is below −10⁶ ppm; path finding rests on that.
 */
import { inputError, MAX_AMOUNT } from '../../base/index.ts'
import type { FeePolicy } from '../ports.ts'

const MILLION = 1_000_000n
const MAX_FEE_PPM = 1_000_000
/** The curve has five knots, so four pieces. */
const PIECES = 4n

/** Forwarding for nothing, for instance to one's own guests. */
export const FREE_POLICY: FeePolicy = { constant: 0n, ppm: 0, curve: [0, 0, 0, 0, 0], validFromSeconds: 0 }

/**
 * Smallest units asked for `amount` to leave. `ownBalanceBefore`: what the own side can spend before it leaves;
 * `capacity`: what the channel holds in all (0: no imbalance term). Outside 0..capacity the curve goes on flat.
 * `policy` must have passed `checkFeePolicy`.
 */
export function feeOf(policy: FeePolicy, amount: bigint, ownBalanceBefore: bigint, capacity: bigint): bigint {
  const flat = policy.constant + (amount * BigInt(policy.ppm)) / MILLION
  return atLeastZero(flat + imbalance(policy.curve, amount, ownBalanceBefore, capacity))
}

/**
 * The most that `feeOf` can ask for `amount`, whatever the balance: what a sender, who knows no balances, has to
 * offer. Equal to `feeOf` when the curve is flat and not negative.
 */
export function worstFeeOf(policy: FeePolicy, amount: bigint): bigint {
  const highest = BigInt(Math.max(...policy.curve))
  return atLeastZero(policy.constant + (amount * BigInt(policy.ppm)) / MILLION + ceilDiv(amount * highest, MILLION))
}

/** Errors: input, naming the field that a policy may not have so. */
export function checkFeePolicy(policy: FeePolicy): void {
  if (policy.constant < 0n || policy.constant > MAX_AMOUNT) throw inputError('fee.constant', policy.constant, '0 to 2^128 − 1 smallest units')
  if (!Number.isInteger(policy.ppm) || policy.ppm < 0 || policy.ppm > MAX_FEE_PPM) throw inputError('fee.ppm', policy.ppm, `a whole number from 0 to ${MAX_FEE_PPM}`)
  if (policy.curve.length !== 5 || !policy.curve.every((rate) => Number.isInteger(rate) && Math.abs(rate) <= MAX_FEE_PPM))
    throw inputError('fee.curve', policy.curve, `five whole numbers from −${MAX_FEE_PPM} to ${MAX_FEE_PPM}`)
  if (!Number.isSafeInteger(policy.validFromSeconds) || policy.validFromSeconds < 0) throw inputError('fee.validFromSeconds', policy.validFromSeconds, 'whole seconds since 1970')
}

function imbalance(curve: FeePolicy['curve'], amount: bigint, before: bigint, capacity: bigint): bigint {
  if (capacity <= 0n || curve.every((rate) => rate === 0)) return 0n
  const scaled = integral(curve, before, capacity) - integral(curve, before - amount, capacity)
  return floorDiv(scaled, 2n * PIECES * capacity * MILLION)
}

/** ∫ rate from 0 to `balance`, in ppm, times 8·capacity so that it stays whole. */
function integral(curve: FeePolicy['curve'], balance: bigint, capacity: bigint): bigint {
  const at = PIECES * balance // the knots lie at multiples of the capacity
  let sum = 0n
  for (let piece = 0n; piece < PIECES; piece++) {
    const offset = at - piece * capacity
    if (offset <= 0n) break
    const [left, right] = [rateAt(curve, piece), rateAt(curve, piece + 1n)]
    const within = offset < capacity ? offset : capacity
    sum += within * (2n * left * capacity + (right - left) * within)
  }
  if (at < 0n) return 2n * capacity * at * rateAt(curve, 0n)
  const beyond = at - PIECES * capacity
  return beyond > 0n ? sum + 2n * capacity * beyond * rateAt(curve, PIECES) : sum
}

function rateAt(curve: FeePolicy['curve'], knot: bigint): bigint {
  return BigInt(curve[Number(knot)] ?? 0)
}

function atLeastZero(fee: bigint): bigint {
  return fee > 0n ? fee : 0n
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n ? quotient - 1n : quotient
}

function ceilDiv(a: bigint, b: bigint): bigint {
  return -floorDiv(-a, b)
}
