/**
 * Calls that change nothing: eth_call and eth_estimateGas on the state after a block, in that block's context.
 * Nobody pays for gas and no nonce is looked at; the value must be there. Steps are bounded, for all the runs of an
 * estimate together.
 */
import { Account } from '@ethereumjs/util'
import { inputError, toHex } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import { ZERO_ADDRESS } from '../codec/fields.ts'
import { recoverSealer } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import type { Network } from '../network/network.ts'
import type { CallRequest, CallResult } from '../ports.ts'
import type { BlockHashOf } from './evm.ts'
import { Meter, Unprovable } from './meter.ts'
import { intrinsicGas } from '../rules/economy.ts'
import { run, workplace } from './transaction.ts'
import type { World } from './world.ts'

export interface CallPlace {
  readonly network: Network
  readonly curve: Secp256k1
  /** A world of its own for every run. */
  readonly fresh: () => World
  readonly blockHash: BlockHashOf
}

/** Half a second here, some seconds on a small board, and twenty times what a wallet's call takes. */
const MAX_CALL_STEPS = 2_000_000
/** No call gets more, whatever it asks for: a block of today's limit. */
const MAX_CALL_GAS = 50_000_000n
const REVERT = 'revert'
const OUT_OF_STEPS = 'more steps than a call may take here'
const ERROR_SELECTOR = '08c379a0'
const PANIC_SELECTOR = '4e487b71'
const WORD = 32
const MAX_REASON_BYTES = 1024

/** Errors: unavailable. */
export async function callAt(place: CallPlace, at: Header, request: CallRequest): Promise<CallResult> {
  return runOnce(place, at, request, bounded(request.gas), new Meter(MAX_CALL_STEPS))
}

/** Errors: input `call` with the revert reason, where no gas would do; unavailable. */
export async function estimateAt(place: CallPlace, at: Header, request: CallRequest): Promise<bigint> {
  const meter = new Meter(MAX_CALL_STEPS)
  let most = bounded(request.gas)
  const first = await runOnce(place, at, request, most, meter)
  if (first.status !== 'returned') throw inputError('call', failureOf(first), `a call that returns with ${most} gas`)
  // What it used after refunds can be too little, and never too much: less than that fails.
  let least = first.gasUsed - 1n
  if (least < 0n) least = 0n
  // Most calls do with what they used, or with what they used and a 64th for each call below.
  for (const guess of [first.gasUsed, (first.gasUsed * 64n) / 63n + 2300n]) {
    if (guess <= least || guess >= most) continue
    if (await suffices(place, at, request, guess, meter)) {
      most = guess
      break
    }
    least = guess
  }
  while (most - least > 1n) {
    const middle = (most + least) / 2n
    if (await suffices(place, at, request, middle, meter)) most = middle
    else least = middle
  }
  return most
}

async function suffices(place: CallPlace, at: Header, request: CallRequest, gas: bigint, meter: Meter): Promise<boolean> {
  return (await runOnce(place, at, request, gas, meter)).status === 'returned'
}

function bounded(gas: bigint): bigint {
  return gas < MAX_CALL_GAS ? gas : MAX_CALL_GAS
}

async function runOnce(call: CallPlace, at: Header, request: CallRequest, gas: bigint, meter: Meter): Promise<CallResult> {
  const intrinsic = intrinsicGas(request)
  if (gas < intrinsic) return failed('out of gas', gas)
  const world = call.fresh()
  const account = (await world.account(request.from)) ?? new Account()
  if (account.balance < request.valueWei) return failed(`the caller has ${account.balance} wei`, 0n)
  account.nonce += 1n
  world.setAccount(request.from, account)
  const signer = at.coinbase === ZERO_ADDRESS ? (recoverSealer(call.curve, at)?.address ?? ZERO_ADDRESS) : ZERO_ADDRESS
  // Nothing runs in the genesis, and a network whose rules are on from block 1 has them off there: its state is called as in block 1.
  const place = workplace({ ...call, world, meter, block: { ...at, number: Math.max(at.number, 1), signer } })
  try {
    const outcome = await run(place, { from: request.from, to: request.to, data: request.data, valueWei: request.valueWei, gas: gas - intrinsic, gasPriceWei: request.gasPriceWei })
    const spent = gas - outcome.gasLeft
    const gasUsed = spent - (outcome.refund < spent / 2n ? outcome.refund : spent / 2n)
    if (outcome.error === null) return { status: 'returned', output: outcome.output, gasUsed, reason: null }
    if (outcome.error === REVERT) return { status: 'reverted', output: outcome.output, gasUsed, reason: revertReason(outcome.output) }
    return failed(outcome.error, gasUsed)
  } catch (thrown) {
    if (thrown instanceof Unprovable) return failed(OUT_OF_STEPS, gas)
    throw thrown
  }
}

function failed(reason: string, gasUsed: bigint): CallResult {
  return { status: 'failed', output: new Uint8Array(0), gasUsed, reason }
}

function failureOf(result: CallResult): string {
  if (result.status === 'failed') return result.reason ?? 'failed'
  return result.reason === null ? `reverted with 0x${toHex(result.output.subarray(0, WORD))}` : `reverted: ${result.reason}`
}

/** What Solidity's `Error(string)` and `Panic(uint256)` say; null where the bytes are something else. */
export function revertReason(output: Uint8Array): string | null {
  const selector = toHex(output.subarray(0, 4))
  const body = output.subarray(4)
  if (selector === PANIC_SELECTOR && body.length === WORD) return `panic 0x${BigInt(`0x${toHex(body)}`).toString(16)}`
  if (selector !== ERROR_SELECTOR || body.length < 2 * WORD) return null
  const at = BigInt(`0x${toHex(body.subarray(0, WORD))}`)
  if (at > BigInt(body.length - WORD)) return null
  const start = Number(at) + WORD
  const length = BigInt(`0x${toHex(body.subarray(Number(at), start))}`)
  if (length > BigInt(body.length - start)) return null
  return new TextDecoder().decode(body.subarray(start, start + Math.min(Number(length), MAX_REASON_BYTES)))
}
