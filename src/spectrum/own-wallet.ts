/**
 * The box's own address as a wallet: what is there, and a way for it out of the box. Rewards and deposits that came
 * back lie there where it is the coinbase, and its key never leaves the box.
 */
import { MeshBoxError, formatAmount, inputError } from '../base/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import { ZERO_ADDRESS } from './codec/fields.ts'
import type { Address, Hash } from './codec/fields.ts'
import { encodeTransaction } from './codec/transaction.ts'
import type { ChainView, ProvedState, TransactionPool } from './ports.ts'
import { EMPTY_CODE_HASH } from './proof/account.ts'
import { SEALER_MIN_GAS_PRICE_WEI, signWith } from './seal/index.ts'
import type { OwnerWallet } from './seal/index.ts'

export interface OwnWalletParts {
  readonly curve: Secp256k1
  readonly chain: ChainView
  readonly state: Pick<ProvedState, 'account'>
  readonly pool: Pick<TransactionPool, 'add' | 'nextNonce'>
  readonly wallet: OwnerWallet
  readonly minGasPriceWei: bigint
}

export interface OwnWallet {
  readonly address: Address
  /** At the head. Errors: unavailable. */
  balanceWei(): Promise<bigint>
  /** On disk and offered to sealers when it resolves. Errors: input `to`, `amountWei`; conflict `chain-alarm`, `not-enough`, or the pool's code; unavailable. */
  send(to: Address, amountWei: bigint): Promise<{ readonly hash: Hash; readonly mostFeeWei: bigint }>
}

const TRANSFER_GAS = 21_000n
/** A contract may want to note what it gets. */
const CONTRACT_GAS = 100_000n
const WEI_DECIMALS = 18

export function createOwnWallet({ curve, chain, state, pool, wallet, minGasPriceWei }: OwnWalletParts): OwnWallet {
  const gasPriceWei = minGasPriceWei > SEALER_MIN_GAS_PRICE_WEI ? minGasPriceWei : SEALER_MIN_GAS_PRICE_WEI
  let last: Promise<unknown> = Promise.resolve()

  async function send(to: Address, amountWei: bigint): ReturnType<OwnWallet['send']> {
    if (to === ZERO_ADDRESS || to === wallet.address) throw inputError('to', to, "another wallet's address")
    if (amountWei <= 0n) throw inputError('amountWei', amountWei, 'more than 0')
    const alarm = chain.alarm()
    if (alarm !== null) throw new MeshBoxError('conflict', `an alarm of the chain is set (${alarm.reason}); look at it first`, { code: 'chain-alarm' })
    const { header } = chain.head()
    const own = await state.account(header, wallet.address)
    const isContract = (await state.account(header, to)).codeHash !== EMPTY_CODE_HASH
    const gas = isContract ? CONTRACT_GAS : TRANSFER_GAS
    const mostFeeWei = gas * gasPriceWei
    if (own.balanceWei < amountWei + mostFeeWei)
      throw new MeshBoxError('conflict', `${amount(amountWei)} SMT and at most ${amount(mostFeeWei)} of fee are more than there is: ${amount(own.balanceWei)}`, { code: 'not-enough' })
    const waiting = pool.nextNonce(wallet.address)
    const nonce = waiting !== null && waiting > own.nonce ? waiting : own.nonce
    const transaction = signWith(curve, { nonce, gasPriceWei, gas, to, valueWei: amountWei, data: new Uint8Array(0) }, chain.network.chainId, (digest) => wallet.sign(digest))
    const added = await pool.add(encodeTransaction(transaction), 'wallet')
    if (!added.ok) throw new MeshBoxError('conflict', `it was not taken: ${added.reason}`, { code: added.code })
    return { hash: added.hash, mostFeeWei }
  }

  return {
    address: wallet.address,
    balanceWei: async () => (await state.account(chain.head().header, wallet.address)).balanceWei,
    send(to, amountWei) {
      // One after the other, or two would take one nonce.
      const done = last.then(() => send(to, amountWei))
      last = done.catch(() => undefined) // its caller hears of it
      return done
    },
  }
}

function amount(wei: bigint): string {
  return formatAmount(wei, WEI_DECIMALS)
}
