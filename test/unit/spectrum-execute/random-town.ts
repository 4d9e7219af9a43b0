/** Seeded blocks of transfers, token calls, creations and destructions, for tests that compare two ways of running them. */
import { updateCall, ZERO_ADDRESS } from '../../../src/spectrum/index.ts'
import type { GenesisAccount, Network, Transaction } from '../../../src/spectrum/index.ts'
import { randomStream } from '../native/random-stream.ts'
import { person } from '../spectrum/village.ts'
import { assemble, deploying } from './assembly.ts'
import { address, send } from './town.ts'
import { compiledToken, tokenCall, tokenStorage, transferCall } from './token.ts'

export const TOKEN = address('70')
export const BOX = address('b0')
export const PEOPLE = Array.from({ length: 24 }, (_, index) => person(index + 300))

/** Writes word 1 of its data into the slot of word 0; destroys itself for its caller where word 0 is huge. */
const BOX_CODE = ((): Uint8Array => {
  const store = assemble(32, 'CALLDATALOAD', 0, 'CALLDATALOAD', 'SSTORE', 'STOP')
  const head = assemble(0, 'CALLDATALOAD', 248, 'SHR', store.length + 9, 'JUMPI')
  if (head.length !== 9) throw new Error('the jump is elsewhere')
  return Uint8Array.of(...head, ...store, ...assemble('JUMPDEST', 'CALLER', 'SELFDESTRUCT'))
})()

export function randomAccounts(): GenesisAccount[] {
  return [
    { address: TOKEN, balanceWei: 0n, nonce: 1n, code: compiledToken(), storage: tokenStorage(PEOPLE.slice(0, 12).map((one) => one.address), 1000n) },
    { address: BOX, balanceWei: 5n, nonce: 1n, code: BOX_CODE, storage: new Map([[1n, 1n], [2n, 2n]]) },
  ]
}

/** Some fail, some create, some clear words; all have right nonces and are paid. */
export function randomTransactions(seed: string): (network: Network, count: number) => Transaction[] {
  const { bytes } = randomStream(seed)
  const upTo = (limit: number): number => Buffer.from(bytes(4)).readUInt32BE() % limit
  const nonces = new Map<string, number>()
  return (network, count) =>
    Array.from({ length: count }, () => {
      const from = PEOPLE[upTo(PEOPLE.length)] ?? person(300)
      const other = PEOPLE[upTo(PEOPLE.length)]?.address ?? ZERO_ADDRESS
      const nonce = nonces.get(from.address) ?? 0
      nonces.set(from.address, nonce + 1)
      const word = (value: number | bigint): string => value.toString(16).padStart(64, '0')
      const make = (change: Parameters<typeof send>[3]): Transaction => send(network, from, nonce, { gas: 120_000n, gasPriceWei: BigInt(upTo(3)), ...change })
      switch (upTo(9)) {
        case 0:
          return make({ to: other, valueWei: BigInt(upTo(1000)), gas: 21_000n })
        case 1:
          return make({ to: address(upTo(256).toString(16).padStart(2, '0')), valueWei: BigInt(upTo(2)), data: bytes(upTo(40)) })
        case 2:
        case 3:
          return make({ to: TOKEN, data: transferCall(other, BigInt(upTo(1500))) })
        case 4:
          return make({ to: TOKEN, data: upTo(2) === 0 ? tokenCall('approve(address,uint256)', ['address', 'uint256'], [other, BigInt(upTo(100))]) : tokenCall('transferFrom(address,address,uint256)', ['address', 'address', 'uint256'], [other, from.address, BigInt(upTo(50))]) })
        case 5:
        case 6:
          return make({ to: BOX, valueWei: BigInt(upTo(3)), data: Buffer.from(word(upTo(20)) + word(upTo(3) === 0 ? 0 : upTo(1 << 30)), 'hex') })
        case 7:
          return upTo(6) === 0 ? make({ to: BOX, data: Buffer.from('ff'.repeat(32), 'hex') }) : make({ to: BOX, gas: BigInt(21_000 + upTo(20_000)), data: updateCall(other) })
        default:
          return make({ to: null, valueWei: BigInt(upTo(5)), data: upTo(3) === 0 ? bytes(20) : deploying(BOX_CODE) })
      }
    })
}
