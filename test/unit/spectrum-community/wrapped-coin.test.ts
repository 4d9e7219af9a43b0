/** The service knows the token of a chain's coin by the hash of its code, and takes no other contract for it. */
import { expect, it } from 'vitest'
import { bytesOf } from '../../../src/base/index.ts'
import { wrappedCoinOf } from '../../../src/main/wrapped-coin.ts'
import { DEVNET } from '../../../src/spectrum/network/networks.ts'
import { ARTIFACTS } from '../../../src/spectrum/community/artifacts.ts'
import { native } from '../spectrum/curves.ts'

const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)
const at = (number: number, runtime: string | null) => ({ address: `0x${number.toString(16).padStart(40, '0')}` as const, balanceWei: 0n, ...(runtime === null ? {} : { code: bytesOf(runtime as `0x${string}`) }) })

it('is the contract with the compiled code, wherever it lies', () => {
  const accounts = [at(1, null), at(2, ARTIFACTS.CommunityToken.runtime), at(3, ARTIFACTS.WrappedSmt.runtime)]
  expect(wrappedCoinOf(keccak, { genesis: { ...DEVNET.genesis, accounts } })).toBe(at(3, null).address)
  expect(wrappedCoinOf(keccak, { genesis: { ...DEVNET.genesis, accounts: [at(3, `${ARTIFACTS.WrappedSmt.runtime}00`)] } })).toBeNull()
  expect(wrappedCoinOf(keccak, DEVNET)).toBeNull()
})
