/**
 * Logs of PhotonV2 and of the secret registry as what happened to a channel. Names and members: the events in
 * contracts/solidity/PhotonV2.sol. Indexed members are topics, the others words of the data.
 */
import { createHash } from 'node:crypto'
import { bytesOf, hexOf, utf8 } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { ChainLog, ChannelEvent, SecretEvent } from '../ports.ts'
import { Words, addressOfTopic } from './abi.ts'
import type { Keccak } from './abi.ts'
import type { RewardedEvent } from './box-duty.ts'

export type ToldEvent = ChannelEvent | SecretEvent | RewardedEvent
/** Null: a log of that contract that is none of ours to follow. Never throws on what a log holds. */
export type LogReader = (log: ChainLog, block: number) => readonly ToldEvent[]

type Read = (topics: readonly Hash[], words: Words, block: number, logIndex: number) => ToldEvent

const MAX_NUMBER = BigInt(Number.MAX_SAFE_INTEGER)
const channelOf = (topics: readonly Hash[]): Hash => topics[1] ?? `0x${'00'.repeat(32)}`
/** Numbers on the chain that fit no number here are above all that can matter. */
export const smallNumber = (value: bigint): number => Number(value > MAX_NUMBER ? MAX_NUMBER : value)

/** Event → how many words its data has, and what it says. */
const EVENTS: readonly (readonly [string, number, Read])[] = [
  ['Opened(bytes32,address,address,address,uint64,uint32)', 3, (topics, words, block) => ({ kind: 'opened', channel: channelOf(topics), block, a: addressOfTopic(topics[2]), b: addressOfTopic(topics[3]), token: words.address(0), epoch: words.number(1), settleTimeout: smallNumber(words.number(2)) })],
  ['Deposited(bytes32,address,uint256)', 2, (topics, words, block) => ({ kind: 'deposited', channel: channelOf(topics), block, participant: words.address(0), total: words.number(1) })],
  ['Closed(bytes32,address,uint64,bytes32,uint256,uint64)', 5, (topics, words, block) => ({ kind: 'closed', channel: channelOf(topics), block, by: words.address(0), nonce: words.number(1), locksroot: words.hash(2), transferred: words.number(3), settleBlock: smallNumber(words.number(4)) })],
  ['Updated(bytes32,address,uint64,bytes32,uint256)', 4, (topics, words, block) => ({ kind: 'updated', channel: channelOf(topics), block, payer: words.address(0), nonce: words.number(1), locksroot: words.hash(2), transferred: words.number(3) })],
  ['Unlocked(bytes32,address,bytes32,uint256)', 3, (topics, words, block) => ({ kind: 'unlocked', channel: channelOf(topics), block, payer: words.address(0), lockHash: words.hash(1), transferred: words.number(2) })],
  ['Punished(bytes32,address,bytes32)', 2, (topics, words, block) => ({ kind: 'punished', channel: channelOf(topics), block, cheater: words.address(0), lockHash: words.hash(1) })],
  ['Claimed(bytes32,address,uint256)', 2, (topics, words, block) => ({ kind: 'claimed', channel: channelOf(topics), block, payer: words.address(0), cumulative: words.number(1) })],
  ['Withdrawn(bytes32,address,uint256)', 2, (topics, words, block) => ({ kind: 'withdrawn', channel: channelOf(topics), block, participant: words.address(0), total: words.number(1) })],
  ['Settled(bytes32,uint256,uint256,bool)', 3, (topics, words, block) => ({ kind: 'settled', channel: channelOf(topics), block, amounts: [words.number(0), words.number(1)], cooperative: words.number(2) !== 0n })],
  ['Rewarded(bytes32,address,uint256)', 2, (topics, words, block, logIndex) => ({ kind: 'rewarded', channel: channelOf(topics), block, logIndex, watcher: words.address(0), amount: words.number(1) })],
]
export const SECRET_TOPIC: Hash = '0x9b7ddc883342824bd7ddbff103e7a69f8f2e60b96c075cd1b8b8b9713ecc75a4'

function topicOf(keccak: Keccak, event: string): Hash {
  return hexOf(keccak(utf8(event)))
}

/** Settled's amounts are those of the lower address and of the higher one, as `a` and `b` of opened. */
export function v2LogReader(keccak: Keccak, contract: Address, registry: Address): LogReader {
  const readers = new Map(EVENTS.map(([event, words, read]) => [topicOf(keccak, event), { words, read }]))
  return (log, block) => {
    if (log.address === registry) return secretEvents(log, block)
    const reader = log.address === contract ? readers.get(log.topics[0] ?? '0x') : undefined
    if (reader === undefined || log.topics.length < 2) return []
    const words = new Words(log.data)
    return words.count < reader.words ? [] : [reader.read(log.topics, words, block, log.logIndex)]
  }
}

export function secretEvents(log: ChainLog, block: number): readonly SecretEvent[] {
  const [topic, secret] = log.topics
  if (topic !== SECRET_TOPIC || secret === undefined) return []
  return [{ kind: 'secret', secret, secretHash: hexOf(createHash('sha256').update(bytesOf(secret)).digest()), block }]
}
