/** Logs that the contract itself writes, and the original's, as events; storage as the contract itself lays it out. */
import { Interface } from 'ethers'
import { beforeEach, describe, expect, it } from 'vitest'
import { ZERO_HASH, bytesOf, hexOf } from '../../../src/base/index.ts'
import type { Hash, Hex } from '../../../src/base/index.ts'
import { CHAIN_ID_SLOT, SECRET_REGISTRY_SLOT, proveChannel, readLegacyLog, secretSlot, v2LogReader } from '../../../src/photon/chain/index.ts'
import type { ToldEvent } from '../../../src/photon/chain/index.ts'
import type { ChainLog } from '../../../src/photon/index.ts'
import { channelId } from '../../../src/photon/wire/index.ts'
import { randomStream } from '../native/random-stream.ts'
import { Channel, lockHashOf, secretHashOf, secretOf } from '../photon-contracts/channel.ts'
import { ALICE, BOB, CAROL, CHAIN_ID, Town } from '../photon-contracts/town.ts'
import type { Outcome } from '../photon-contracts/town.ts'
import { native } from '../spectrum/curves.ts'

const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)
let town: Town
let channel: Channel

beforeEach(async () => {
  town = await Town.build()
  channel = new Channel(town, await town.token('PlainToken', 10_000n))
})

const told = async (outcome: Promise<Outcome>): Promise<readonly ToldEvent[]> => {
  const { verdict, logs } = await outcome
  expect(verdict).toBe('ok')
  const read = v2LogReader(keccak, town.photon, town.registry)
  return logs.flatMap((log, logIndex) => read({ ...log, logIndex, transactionHash: ZERO_HASH }, town.number))
}

describe('our contract', () => {
  it('tells a whole life', async () => {
    const lock = { expiration: 5_000n, amount: 4n, secret: secretOf(3) }
    const common = { channel: channel.id, block: town.number }
    const [a, b] = [ALICE.address, BOB.address].sort()
    expect(await told(channel.deposit(ALICE, 100n))).toEqual([{ ...common, kind: 'opened', a, b, token: channel.token, epoch: 1n, settleTimeout: 10 }, { ...common, kind: 'deposited', participant: ALICE.address, total: 100n }])
    expect(await told(channel.deposit(BOB, 50n))).toEqual([{ ...common, kind: 'deposited', participant: BOB.address, total: 50n }])
    expect(await told(channel.withdraw(ALICE, 7n))).toEqual([{ ...common, kind: 'withdrawn', participant: ALICE.address, total: 7n }])
    expect(await told(channel.claim(BOB, { cumulative: 5n }))).toEqual([{ ...common, kind: 'claimed', payer: BOB.address, cumulative: 5n }])
    expect(await told(channel.register(lock.secret))).toEqual([{ kind: 'secret', block: town.number, secret: lock.secret, secretHash: secretHashOf(lock.secret) }])
    expect(await told(channel.close(BOB, { nonce: 3n, transferred: 20n, locksroot: lockHashOf(lock) }))).toEqual([{ ...common, kind: 'closed', by: BOB.address, nonce: 3n, locksroot: lockHashOf(lock), transferred: 20n, settleBlock: town.number + 10 }])
    expect(await told(channel.update(ALICE, { nonce: 2n, transferred: 6n }))).toEqual([{ ...common, kind: 'updated', payer: BOB.address, nonce: 2n, locksroot: ZERO_HASH, transferred: 6n }])
    expect(await told(channel.unlock(BOB, 20n, lock))).toEqual([{ ...common, kind: 'unlocked', payer: ALICE.address, lockHash: lockHashOf(lock), transferred: 24n }])
    const proved = await proveChannel({ storage: (_, contract, slot) => town.word(contract, slot) }, keccak, { number: 1, hash: ZERO_HASH, timeSeconds: 0 }, town.photon, channel.id, [ALICE.address, BOB.address])
    expect(proved).toMatchObject({ epoch: 1n, state: 'closed', settleBlock: town.number + 10, settleTimeout: 10 })
    expect(proved?.sides).toMatchObject([{ deposit: 100n, claimed: 0n, withdrawn: 7n, nonce: 3n, isVoided: false }, { deposit: 50n, claimed: 5n, withdrawn: 0n, nonce: 2n, isVoided: false }])
    expect(proved?.sides[0].balanceHash).toBe((await town.ask(town.photon, 'sideOf', channel.token, ALICE.address, BOB.address))[4])
    expect(await told(channel.punish(ALICE, lockHashOf(lock)))).toEqual([{ ...common, kind: 'punished', cheater: BOB.address, lockHash: lockHashOf(lock) }])
    await channel.later()
    // Alice: 93 and Bob's 45 that were left of his deposit, and what Bob paid her beyond what she claimed.
    const amounts = ALICE.address < BOB.address ? [138n, 0n] : [0n, 138n]
    expect(await told(channel.settle([0n, ZERO_HASH], [6n, ZERO_HASH]))).toEqual([{ channel: channel.id, block: town.number, kind: 'settled', cooperative: false, amounts }])
    channel.epoch = 2n
    await channel.opened(10n, 4n)
    expect(await told(channel.coopSettle(9n, 5n))).toEqual([{ channel: channel.id, block: town.number, kind: 'settled', cooperative: true, amounts: ALICE.address < BOB.address ? [9n, 5n] : [5n, 9n] }])
  })

  it('says its chain, its registry and a secret’s block in its storage', async () => {
    await channel.register(secretOf(1))
    expect(await town.word(town.photon, CHAIN_ID_SLOT)).toBe(CHAIN_ID)
    expect(await town.word(town.photon, SECRET_REGISTRY_SLOT)).toBe(BigInt(town.registry))
    expect(await town.word(town.registry, secretSlot(keccak, secretHashOf(secretOf(1))))).toBe(1_000n)
  })
})

/** photon.md 1.8. */
const LEGACY = new Interface([
  'event TokenNetworkCreated(address indexed token)',
  'event ChannelOpenedAndDeposit(address indexed token,address participant,address partner,uint64 settle_timeout,uint256 participant1_deposit)',
  'event ChannelNewDeposit(bytes32 indexed id,address participant,uint256 total_deposit)',
  'event ChannelClosed(bytes32 indexed id,address closing_participant,bytes32 locksroot,uint256 transferred_amount)',
  'event ChannelUnlocked(bytes32 indexed id,address payer_participant,bytes32 lockhash,uint256 transferred_amount)',
  'event BalanceProofUpdated(bytes32 indexed id,address participant,bytes32 locksroot,uint256 transferred_amount)',
  'event ChannelPunished(bytes32 indexed id,address beneficiary)',
  'event ChannelSettled(bytes32 indexed id,uint256 p1_amount,uint256 p2_amount)',
  'event ChannelCooperativeSettled(bytes32 indexed id,uint256 p1_amount,uint256 p2_amount)',
  'event ChannelWithdraw(bytes32 indexed id,address p1,uint256 p1_balance,address p2,uint256 p2_balance)',
  'event SecretRevealed(bytes32 indexed secret)',
])
const CONTRACT = `0x${'c1'.repeat(20)}` as const
const REGISTRY = `0x${'c2'.repeat(20)}` as const

describe('the original contract', () => {
  const [id, root] = [secretOf(1), secretOf(2)]
  const common = { block: 9, channel: id }
  it.each([
    ['TokenNetworkCreated', [CAROL.address], { block: 9, kind: 'token-added', token: CAROL.address }],
    ['ChannelOpenedAndDeposit', [CAROL.address, ALICE.address, BOB.address, 600, 5n], { block: 9, kind: 'opened', channel: channelId(keccak, ALICE.address, BOB.address, CAROL.address, CONTRACT), token: CAROL.address, participant: ALICE.address, partner: BOB.address, settleTimeout: 600, deposit: 5n }],
    ['ChannelNewDeposit', [id, ALICE.address, 5n], { ...common, kind: 'deposited', participant: ALICE.address, total: 5n }],
    ['ChannelClosed', [id, ALICE.address, root, 5n], { ...common, kind: 'closed', by: ALICE.address, locksroot: root, transferred: 5n }],
    ['ChannelUnlocked', [id, ALICE.address, root, 5n], { ...common, kind: 'unlocked', payer: ALICE.address, lockHash: root, transferred: 5n }],
    ['BalanceProofUpdated', [id, ALICE.address, root, 5n], { ...common, kind: 'updated', payer: ALICE.address, locksroot: root, transferred: 5n }],
    ['ChannelPunished', [id, ALICE.address], { ...common, kind: 'punished', beneficiary: ALICE.address }],
    ['ChannelSettled', [id, 3n, 4n], { ...common, kind: 'settled', cooperative: false, amounts: [3n, 4n] }],
    ['ChannelCooperativeSettled', [id, 3n, 4n], { ...common, kind: 'settled', cooperative: true, amounts: [3n, 4n] }],
    ['ChannelWithdraw', [id, ALICE.address, 3n, BOB.address, 4n], { ...common, kind: 'withdrawn', p1: ALICE.address, balance1: 3n, p2: BOB.address, balance2: 4n }],
    ['SecretRevealed', [id], { block: 9, kind: 'secret', secret: id, secretHash: secretHashOf(id) }],
  ])('%s', (name, values, expected) => {
    const { topics, data } = LEGACY.encodeEventLog(name, values)
    const log: ChainLog = { address: name === 'SecretRevealed' ? REGISTRY : CONTRACT, topics: topics as Hash[], data: bytesOf(data as Hex), logIndex: 0, transactionHash: ZERO_HASH }
    expect(readLegacyLog(keccak, CONTRACT, REGISTRY, log, 9)).toEqual([expected])
    expect(readLegacyLog(keccak, CONTRACT, REGISTRY, { ...log, address: CAROL.address }, 9)).toEqual([])
    expect(readLegacyLog(keccak, CONTRACT, REGISTRY, { ...log, topics: [] }, 9)).toEqual([])
  })
})

it('no log makes a reader throw, and none that is short is read', () => {
  const random = randomStream('logs')
  const read = v2LogReader(keccak, CONTRACT, REGISTRY)
  const known = ['Opened(bytes32,address,address,address,uint64,uint32)', 'Closed(bytes32,address,uint64,bytes32,uint256,uint64)', 'Settled(bytes32,uint256,uint256,bool)'].map((event) => hexOf(keccak(new TextEncoder().encode(event))))
  const legacy = [...LEGACY.fragments].flatMap((fragment) => (fragment.type === 'event' ? [LEGACY.getEvent(fragment.format('sighash'))?.topicHash as Hash] : []))
  for (let draw = 0; draw < 2_000; draw++) {
    const topics = [random.pick([...known, ...legacy]), hexOf(random.bytes(32)), hexOf(random.bytes(32)), hexOf(random.bytes(32))].slice(0, random.below(5))
    const log: ChainLog = { address: random.pick([CONTRACT, REGISTRY]), topics, data: random.bytes(random.below(200)), logIndex: 0, transactionHash: ZERO_HASH }
    const events = [...read(log, 1), ...readLegacyLog(keccak, CONTRACT, REGISTRY, log, 1)]
    if (log.address === CONTRACT && log.data.length < 32 && events.some((event) => event.kind !== 'token-added')) throw new Error(`read ${JSON.stringify(topics)} from ${log.data.length} bytes`)
  }
})
