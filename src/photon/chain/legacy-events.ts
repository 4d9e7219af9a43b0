/**
 * Logs of the original TokensNetwork (photon.md 1.8). They say less than ours: a closing carries neither nonce nor
 * settle block, an opening no channel id, and what a closing without proof says of amounts is the sender's mere word.
 * So these are told as they are; who needs more reads the contract's state.
 */
import { bytesOf, concatBytes, hexOf } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { ChainLog, SecretEvent } from '../ports.ts'
import { Words, addressOfTopic } from './abi.ts'
import type { Keccak } from './abi.ts'
import { secretEvents, smallNumber } from './events.ts'

export type LegacyEvent =
  | SecretEvent
  | ({ readonly block: number } & (
      | { readonly kind: 'token-added'; readonly token: Address }
      /** `block` is the epoch. */
      | { readonly kind: 'opened'; readonly channel: Hash; readonly token: Address; readonly participant: Address; readonly partner: Address; readonly settleTimeout: number; readonly deposit: bigint }
      | { readonly kind: 'deposited'; readonly channel: Hash; readonly participant: Address; readonly total: bigint }
      /** Amounts are to be believed only where the contract's nonce of the partner is above 0. */
      | { readonly kind: 'closed'; readonly channel: Hash; readonly by: Address; readonly locksroot: Hash; readonly transferred: bigint }
      | { readonly kind: 'unlocked'; readonly channel: Hash; readonly payer: Address; readonly lockHash: Hash; readonly transferred: bigint }
      | { readonly kind: 'updated'; readonly channel: Hash; readonly payer: Address; readonly locksroot: Hash; readonly transferred: bigint }
      | { readonly kind: 'punished'; readonly channel: Hash; readonly beneficiary: Address }
      | { readonly kind: 'settled'; readonly channel: Hash; readonly cooperative: boolean; readonly amounts: readonly [bigint, bigint] }
      /** `block` is the new epoch. */
      | { readonly kind: 'withdrawn'; readonly channel: Hash; readonly p1: Address; readonly balance1: bigint; readonly p2: Address; readonly balance2: bigint }
    ))

interface Place {
  readonly keccak: Keccak
  readonly contract: Address
  readonly block: number
  /** The first indexed member, 32 bytes. */
  readonly first: Hash
}

const READERS: Readonly<Record<Hash, readonly [number, (words: Words, place: Place) => LegacyEvent]>> = {
  '0x5210099284eeab0088ae17e05fea8ee641c34757be9270872d6404ba6dcbe003': [0, (_, { block, first }) => ({ kind: 'token-added', block, token: addressOfTopic(first) })],
  '0xc3a8dbc3d2c201f4a985c395dff13cbcf880e0652f34061448c3363c23a9d2db': [
    4,
    (words, place) => {
      const [token, participant, partner] = [addressOfTopic(place.first), words.address(0), words.address(1)]
      return { kind: 'opened', block: place.block, channel: channelOf(place, participant, partner, token), token, participant, partner, settleTimeout: smallNumber(words.number(2)), deposit: words.number(3) }
    },
  ],
  '0x0346e981e2bfa2366dc2307a8f1fa24779830a01121b1275fe565c6b98bb4d34': [2, (words, { block, first }) => ({ kind: 'deposited', block, channel: first, participant: words.address(0), total: words.number(1) })],
  '0x69610baaace24c039f891a11b42c0b1df1496ab0db38b0c4ee4ed33d6d53da1a': [3, (words, { block, first }) => ({ kind: 'closed', block, channel: first, by: words.address(0), locksroot: words.hash(1), transferred: words.number(2) })],
  '0x9e3b094fde58f3a83bd8b77d0a995fdb71f3169c6fa7e6d386e9f5902841e5ff': [3, (words, { block, first }) => ({ kind: 'unlocked', block, channel: first, payer: words.address(0), lockHash: words.hash(1), transferred: words.number(2) })],
  '0x910c9237f4197a18340110a181e8fb775496506a007a94b46f9f80f2a35918f9': [3, (words, { block, first }) => ({ kind: 'updated', block, channel: first, payer: words.address(0), locksroot: words.hash(1), transferred: words.number(2) })],
  '0xa913b8478dcdecf113bad71030afc079c268eb9abc88e45615f438824127ae00': [1, (words, { block, first }) => ({ kind: 'punished', block, channel: first, beneficiary: words.address(0) })],
  '0xf94fb5c0628a82dc90648e8dc5e983f632633b0d26603d64e8cc042ca0790aa4': [2, (words, { block, first }) => ({ kind: 'settled', block, channel: first, cooperative: false, amounts: [words.number(0), words.number(1)] })],
  '0xfb2f4bc0fb2e0f1001f78d15e81a2e1981f262d31e8bd72309e26cc63bf7bb02': [2, (words, { block, first }) => ({ kind: 'settled', block, channel: first, cooperative: true, amounts: [words.number(0), words.number(1)] })],
  '0xdc5ff4ab383e66679a382f376c0e80534f51f3f3a398add646422cd81f5f815d': [4, (words, { block, first }) => ({ kind: 'withdrawn', block, channel: first, p1: words.address(0), balance1: words.number(1), p2: words.address(2), balance2: words.number(3) })],
}

/** Empty for a log that is none of these. Never throws on what a log holds. */
export function readLegacyLog(keccak: Keccak, contract: Address, registry: Address, log: ChainLog, block: number): readonly LegacyEvent[] {
  if (log.address === registry) return secretEvents(log, block)
  const [topic = '0x', first] = log.topics
  const reader = log.address === contract ? READERS[topic] : undefined
  if (reader === undefined || first === undefined) return []
  const [count, read] = reader
  const words = new Words(log.data)
  return words.count < count ? [] : [read(words, { keccak, contract, block, first })]
}

/** photon.md 1.2. */
function channelOf(place: Place, participant: Address, partner: Address, token: Address): Hash {
  const [low, high] = participant < partner ? [participant, partner] : [partner, participant]
  return hexOf(place.keccak(concatBytes(...[low, high, token, place.contract].map(bytesOf))))
}
