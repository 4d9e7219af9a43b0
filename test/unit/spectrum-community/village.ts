/** A small community with known keys. */
import { newCommunity } from '../../../src/spectrum/community/index.ts'
import type { Community, CommunitySettings } from '../../../src/spectrum/community/index.ts'
import { bytesOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address } from '../../../src/spectrum/index.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'

export const PEOPLE: readonly Person[] = Array.from({ length: 24 }, (_, number) => person(number + 200))
export const at = (number: number): Person => {
  const one = PEOPLE[number]
  if (one === undefined) throw new Error(`nobody has number ${number}`)
  return one
}
/** Of the chief base. */
export const OWNER = at(20)
export const STRANGER = at(21)
export const HOLDER = at(22)

export const SETTINGS: CommunitySettings = {
  name: 'village',
  chainId: 424_242n,
  periodSeconds: 3,
  epochBlocks: 25,
  signerLimit: 5,
  startSeconds: 1_790_000_000,
  owner: OWNER.address,
  leaders: [at(0).address, at(1).address, at(2).address],
  miners: [5, 6, 7, 8].map((number) => ({ miner: at(number).address, owner: at(number + 5).address, depositWei: 80n + BigInt(number) })),
  minDepositWei: 80n,
  halvingBlocks: 100,
  withdrawWaitBlocks: 10,
  allocations: [OWNER, HOLDER, STRANGER].map((one, index) => ({ address: one.address, balanceWei: 10n ** 18n * BigInt(index + 1) })),
  token: { name: 'Village Token', symbol: 'VIL', decimals: 6, supply: 1_000_000n * 10n ** 6n, holder: HOLDER.address },
}

export const village = (changes: Partial<CommunitySettings> = {}): Community => newCommunity(native, { ...SETTINGS, ...changes })

/** What a miner signs for a wallet: keccak256 of its 20 bytes, without a prefix. */
export function consent(miner: Person, wallet: Address): { readonly r: Uint8Array; readonly s: Uint8Array; readonly v: number } {
  const signature = native.sign(native.keccak256(bytesOf(wallet)), miner.key)
  return { r: signature.slice(0, 32), s: signature.slice(32, 64), v: signature[64] ?? 0 }
}
