/**
 * Which token is the chain's coin: a contract of the genesis with the code of WrappedSmt (spectrum/community), known by its
 * hash, since the code itself is carried by `meshbox chain new` alone.
 */
import { hexOf, type Address } from '../base/index.ts'
import type { Network } from '../spectrum/index.ts'

const WRAPPED_SMT_CODE = '0x9ad318430e4d0b85c955daa2cc127897510681f08bb88bc76eca3d06ba951255'

/** Null: the chain has none, as public ones. */
export function wrappedCoinOf(keccak: (bytes: Uint8Array) => Uint8Array, { genesis }: Pick<Network, 'genesis'>): Address | null {
  return genesis.accounts.find(({ code }) => code !== undefined && hexOf(keccak(code)) === WRAPPED_SMT_CODE)?.address ?? null
}
