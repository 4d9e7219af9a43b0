/**
 * A transaction of the account, signed for one chain (EIP-155): RLP of nonce, gas price, gas, to, value, data, v, r, s
 * with v = 35 + 2 · chain id + parity. The same terms give the same bytes, since signatures are deterministic
 * (RFC 6979): what was sent before a crash is sent again, not something else.
 */
import { bytesOf, encodeRlp, hexOf, inputError, integerBytes } from '../../base/index.ts'
import type { Address, Hash, RlpItem } from '../../base/index.ts'
import type { Keccak } from './abi.ts'

export interface TransactionTerms {
  readonly nonce: bigint
  readonly gasPriceWei: bigint
  readonly gas: bigint
  readonly to: Address
  readonly data: Uint8Array
  /** Left out: 0. */
  readonly valueWei?: bigint
}

export interface SealedTransaction {
  readonly hash: Hash
  readonly raw: Uint8Array
}

export type Seal = (terms: TransactionTerms) => SealedTransaction

/** `sign`: a digest of 32 bytes → r ‖ s ‖ v, 65 bytes, v 27 or 28, deterministic. Errors: input `chainId`. */
export function transactionSealer(keccak: Keccak, chainId: bigint, sign: (digest: Uint8Array) => Uint8Array): Seal {
  if (chainId < 1n) throw inputError('chainId', chainId, '1 or more')
  const empty = new Uint8Array(0)
  return ({ nonce, gasPriceWei, gas, to, data, valueWei = 0n }) => {
    const terms: readonly RlpItem[] = [integerBytes(nonce), integerBytes(gasPriceWei), integerBytes(gas), bytesOf(to), integerBytes(valueWei), data]
    const signature = sign(keccak(encodeRlp([...terms, integerBytes(chainId), empty, empty])))
    const v = 35n + 2n * chainId + BigInt((signature[64] ?? 0) - 27)
    const raw = encodeRlp([...terms, integerBytes(v), integerOf(signature.subarray(0, 32)), integerOf(signature.subarray(32, 64))])
    return { hash: hexOf(keccak(raw)), raw }
  }
}

function integerOf(bytes: Uint8Array): Uint8Array {
  return integerBytes(BigInt(hexOf(bytes)))
}
