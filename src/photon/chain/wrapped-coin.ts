/**
 * The chain's coin as a token of an account, read by proof: the community's WrappedSmt (spectrum/community) keeps what each
 * account has in the mapping of its slot 4. Calls: `deposit()` with coin, `withdraw(uint256)`.
 */
import { bytesOf, concatBytes, hexOf } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { ChainPoint, ChainPort } from '../ports.ts'
import type { Keccak } from './abi.ts'
import { wordOf } from './abi.ts'

const BALANCES_SLOT = 4n

/** Null: not to be had now. */
export function wrappedBalance(chain: Pick<ChainPort, 'storage'>, keccak: Keccak, point: ChainPoint, token: Address, owner: Address): Promise<bigint | null> {
  return chain.storage(point, token, BigInt(hexOf(keccak(concatBytes(new Uint8Array(12), bytesOf(owner), wordOf(BALANCES_SLOT))))))
}
