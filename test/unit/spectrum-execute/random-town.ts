/** Seeded blocks of transfers, token calls, creations and destructions, for tests that compare two ways of running them. */
import { updateCall } from '../../../src/spectrum/rules/volunteer.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
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

/** Opcodes with enough on the stack to do something: state, calls, creations, and all the rest. */
const PIECES: readonly ((small: () => number, address: () => string) => (string | number)[])[] = [
  (small) => [small(), small(), 'SSTORE'],
  (small) => [0, small(), 'SSTORE'],
  (small) => [small(), 'SLOAD', small(), 'SSTORE'],
  (_, at) => [at(), 'BALANCE', 3, 'SSTORE'],
  (_, at) => [at(), 'EXTCODEHASH', 4, 'SSTORE'],
  (_, at) => [at(), 'EXTCODESIZE', 5, 'SSTORE'],
  (small, at) => [0, 0, small(), 0, small() % 3, at(), small() * 2000, 'CALL', 6, 'SSTORE'],
  (small, at) => [0, 0, small(), 0, small() % 3, at(), small() * 2000, 'CALLCODE', 'POP'],
  (small, at) => [32, 0, 64, 0, at(), small() * 3000, 'DELEGATECALL', 'POP'],
  (small, at) => [32, 0, 64, 0, at(), small() * 3000, 'STATICCALL', 7, 'SSTORE'],
  (small) => [small() * 31, 0, 'MSTORE', small(), small(), 'SHA3', 8, 'SSTORE'],
  // A child that stores and stops, destroys itself, reverts or fails.
  (small) => [[0x6001600155n, 0x33ffn, 0x60006000fdn, 0xfen, 0x600160005560016000f3n][small() % 5]?.toString() ?? 0, 0, 'MSTORE', 5, 27, small() % 2, 'CREATE', 9, 'SSTORE'],
  (small) => ['0x6001600155', 0, 'MSTORE', small() % 3, 5, 27, 0, 'CREATE2', 10, 'SSTORE'],
  (small) => [small(), 0, 'LOG0'],
  (small) => [small(), small(), 0, 'LOG1'],
  (small) => [small(), 'CALLDATALOAD', small(), 'ADD', small(), 'DIV', 'POP'],
]
const ENDS: readonly (string | number)[][] = [['STOP'], [0, 0, 'REVERT'], ['INVALID'], ['CALLER', 'SELFDESTRUCT'], [2, 0, 'RETURN'], ['JUMP']]

/** Creations whose init code is such a program, by everybody in turn. */
export function randomPrograms(seed: string): (network: Network, count: number) => Transaction[] {
  const { bytes } = randomStream(`programs ${seed}`)
  const upTo = (limit: number): number => Buffer.from(bytes(4)).readUInt32BE() % limit
  const addresses = [TOKEN, BOX, address('01'), address('00'), ...PEOPLE.slice(0, 3).map((one) => one.address), `0x${'4'.padStart(40, '0')}`, `0x${'1'.padStart(40, '0')}`]
  let turn = 0
  return (network, count) =>
    Array.from({ length: count }, () => {
      const pieces = Array.from({ length: 1 + upTo(8) }, () => PIECES[upTo(PIECES.length)]?.(() => upTo(40), () => addresses[upTo(addresses.length)] ?? TOKEN) ?? [])
      const words = [...pieces.flat(), ...(ENDS[upTo(4) > 0 ? 0 : upTo(ENDS.length)] ?? [])].map((word) => (typeof word === 'string' && /^\d+$/.test(word) ? BigInt(word) : word))
      const from = PEOPLE[turn % PEOPLE.length] ?? person(300)
      const nonce = Math.floor(turn++ / PEOPLE.length)
      return send(network, from, nonce, { to: null, gas: BigInt(80_000 + upTo(400_000)), valueWei: BigInt(upTo(5)), gasPriceWei: BigInt(upTo(2)), data: assemble(...words) })
    })
}
