/** An account's arithmetic: what is owed, whether more may be, and what one more unit makes of it. Pure. */
import { MAX_AMOUNT, MeshBoxError, ZERO_HASH, bytesOf } from '../../base/index.ts'
import type { BillableUnit, TenantAccount } from '../ports.ts'
import { nextChainHash } from './receipt/chain.ts'
import type { Keccak } from './receipt/chain.ts'

/** An account with what is held of it: delivered perhaps, billed not yet. */
export interface OpenAccount extends TenantAccount {
  readonly heldAmount: bigint
  readonly heldCount: number
}

export function newAccount(epoch: bigint): OpenAccount {
  return { epoch, seq: 0n, cumUplinks: 0n, cumUnits: 0n, cumDownlinkMs: 0n, cumAmount: 0n, chainHash: bytesOf(ZERO_HASH), heldAmount: 0n, heldCount: 0 }
}

/** Billed and held, less what was paid. Negative: paid in advance. */
export function owedOf(account: Pick<OpenAccount, 'cumAmount' | 'heldAmount'>, paid: bigint): bigint {
  return account.cumAmount + account.heldAmount - paid
}

/** Held counts like billed, so what is owed is never above the window, whatever is delivered and not billed when the power goes. */
export function maySpend(account: Pick<OpenAccount, 'cumAmount' | 'heldAmount'>, paid: bigint, amount: bigint, creditWindow: bigint): boolean {
  return owedOf(account, paid) + amount <= creditWindow
}

/** Frames upward count in cumUplinks and cumUnits, downlinks in cumDownlinkMs. Errors: internal beyond 2^128. */
export function withUnit(account: TenantAccount, unit: Pick<BillableUnit, 'kind' | 'frame' | 'tmstUs' | 'units' | 'amount'>, keccak: Keccak): TenantAccount {
  const cumAmount = account.cumAmount + unit.amount
  if (cumAmount > MAX_AMOUNT) throw new MeshBoxError('internal', 'a bill beyond 2^128 smallest units', { code: 'account-full' })
  const isUp = unit.kind !== 'downlink'
  return {
    epoch: account.epoch,
    seq: account.seq + 1n,
    cumUplinks: account.cumUplinks + (isUp ? 1n : 0n),
    cumUnits: account.cumUnits + (isUp ? BigInt(unit.units) : 0n),
    cumDownlinkMs: account.cumDownlinkMs + (isUp ? 0n : BigInt(unit.units)),
    cumAmount,
    chainHash: nextChainHash(account.chainHash, unit, keccak),
  }
}
