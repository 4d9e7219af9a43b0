/** The call that only trusted partners' channels come to: both have signed who gets what (photon.md 1.4). */
import type { Address } from '../../base/index.ts'
import { encodeCall } from '../chain/index.ts'
import type { ContractCall } from '../chain/index.ts'
import type { Duty } from '../ports.ts'
import type { Keccak } from '../wire/index.ts'

const GAS = 250_000n

export function legacyCooperativeSettle(keccak: Keccak, contract: Address, { token, terms, signatures }: Extract<Duty, { kind: 'cooperative-settle' }>): ContractCall {
  const { p1, balance1, p2, balance2 } = terms
  return { to: contract, gas: GAS, data: encodeCall(keccak, 'cooperativeSettle(address,address,uint256,address,uint256,bytes,bytes)', [token, p1, balance1, p2, balance2, ...signatures]) }
}
