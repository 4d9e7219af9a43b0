/** The contracts' calls (spec 2.10), and the miner's word for its wallet: a signature over keccak256 of the wallet's 20 bytes, without a prefix. */
import { concatBytes } from '../../../base/index.ts'
import { ADDRESS_BYTES, HASH_BYTES, bytesOf } from '../../codec/fields.ts'
import type { Address, Keccak } from '../../codec/fields.ts'
import type { Network } from '../../network/network.ts'
import type { MinerKey } from '../../ports.ts'
import type { PocAction } from './plan.ts'

const SELECTORS = { deposit: '0xf2a558f9', start: '0xdd0b281e', stop: '0x656cb0bc', withdraw: '0x51cff8d9', bind: '0xf65f2eec' } as const
const SCALAR_BYTES = 32
const RECOVERY_BASE = 27

export interface ContractCall {
  readonly to: Address
  readonly data: Uint8Array
}

/** Null: the network has no such contract. */
export function pocCall(keccak: Keccak, network: Network, action: PocAction, key: MinerKey, wallet: Address): ContractCall | null {
  const selector = bytesOf(SELECTORS[action])
  if (action === 'start' || action === 'stop' || action === 'withdraw') return { to: network.poc, data: concatBytes(selector, addressWord(key.address)) }
  const signature = key.sign(keccak.keccak256(bytesOf(wallet)))
  const r = signature.subarray(0, SCALAR_BYTES)
  const s = signature.subarray(SCALAR_BYTES, 2 * SCALAR_BYTES)
  const v = new Uint8Array(HASH_BYTES)
  v[HASH_BYTES - 1] = (signature[2 * SCALAR_BYTES] ?? 0) + RECOVERY_BASE
  if (action === 'deposit') return { to: network.poc, data: concatBytes(selector, r, s, v) }
  return network.anmap === null ? null : { to: network.anmap.address, data: concatBytes(selector, addressWord(key.address), v, r, s) }
}

function addressWord(address: Address): Uint8Array {
  return concatBytes(new Uint8Array(HASH_BYTES - ADDRESS_BYTES), bytesOf(address))
}
