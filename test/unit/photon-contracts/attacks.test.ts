/** What was found wrong with the original's contract and with our prototypes (photon.md 0: F1 to F6, F9), and what strangers' tokens try. All refused. */
import { beforeEach, describe, expect, it } from 'vitest'
import { ZERO_ADDRESS, ZERO_HASH, bytesOf, concatBytes, hexOf } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { native } from '../spectrum/curves.ts'
import { Channel, lockHashOf, secretOf, sign } from './channel.ts'
import { ALICE, BOB, CAROL, DAVE, OWNER, Town } from './town.ts'
import type { Outcome, TokenName } from './town.ts'

const START = 10_000n
let town: Town
let channel: Channel
const verdict = async (outcome: Promise<Outcome>): Promise<string> => (await outcome).verdict
const moved = async (): Promise<readonly bigint[]> => {
  const [a, b, contract] = await channel.money()
  return [a - START, b - START, contract]
}
const onToken = async (name: TokenName): Promise<void> => {
  channel = new Channel(town, await town.token(name, START))
}

beforeEach(async () => {
  town = await Town.build()
  await onToken('PlainToken')
})

describe('found in the original', () => {
  it('F1: a signature for a cooperative settlement is no balance proof', async () => {
    await channel.opened(1000n, 500n)
    const terms = { p1: ALICE.address, b1: 1000n, p2: BOB.address, b2: 500n, validUntil: town.number + 9 }
    const signature = channel.signed(BOB, 'CoopSettle', terms)
    // The bytes that the original reads as a proof: p1 ‖ head of b1, rest of b1 ‖ head of p2, tail of p2, b2.
    const word = (value: bigint): string => value.toString(16).padStart(64, '0')
    const bytes = `${ALICE.address.slice(2)}${word(1000n)}${BOB.address.slice(2)}${word(500n)}`
    const [transferred, root, nonce, extra] = [BigInt(`0x${bytes.slice(0, 64)}`), `0x${bytes.slice(64, 128)}`, BigInt(`0x${bytes.slice(128, 144)}`), `0x${bytes.slice(144)}`]
    expect(await verdict(channel.call(ALICE, 'close', channel.token, BOB.address, transferred, root, nonce, extra, signature))).toBe('Bad(10)')
    await channel.close(ALICE)
    expect(await verdict(channel.call(ALICE, 'update', channel.token, BOB.address, transferred, root, nonce, extra, signature))).toBe('Bad(10)')
    await channel.later()
    await channel.settle()
    expect(await moved()).toEqual([0n, 0n, 0n])
  })

  it('F1: no signature of one type does for another', async () => {
    await channel.opened(1000n, 500n)
    const withdrawal = channel.signed(BOB, 'Withdraw', { participant: ALICE.address, total: 10n, validUntil: 2000 })
    for (const [method, ...values] of [
      ['claim', [channel.token, BOB.address, ALICE.address, 10n, ZERO_HASH, 0, 0n], withdrawal, ZERO_HASH, 0],
      ['close', channel.token, BOB.address, 10n, ZERO_HASH, 2000n, ZERO_HASH, withdrawal],
    ] as const)
      expect(await verdict(channel.call(ALICE, method, ...values))).toBe('Bad(10)')
    const domain = { name: 'Photon', version: '2', contract: town.photon }
    for (const changes of [{ name: 'Photon Purse' }, { version: '1' }, { contract: town.purse }, { chainId: 1n }])
      expect(await verdict(withDomain({ ...domain, ...changes }))).toBe('Bad(10)')
    expect(await verdict(withDomain(domain))).toBe('ok')
  })

  it('F2: nobody spends what another has allowed the contract', async () => {
    // The original's way in does not exist, and every payment in takes from the sender only.
    const open = (from: typeof CAROL): Promise<Outcome> => channel.call(from, 'deposit', channel.token, from.address, DAVE.address, 700n, 10, 1n)
    const before = await town.balance(channel.token, ALICE.address)
    expect(await verdict(town.raw(DAVE.address, town.photon, concatBytes(bytesOf('0x8f4ffcb1'), new Uint8Array(288))))).toBe('reverted')
    expect(await verdict(town.raw(DAVE.address, town.photon, concatBytes(bytesOf('0xc0ee0b8a'), new Uint8Array(288))))).toBe('reverted')
    expect(await verdict(open(DAVE))).toBe('Bad(5)')
    expect(await verdict(channel.call(DAVE, 'deposit', channel.token, DAVE.address, CAROL.address, 700n, 10, 1n))).toBe('Bad(4)')
    expect(await verdict(channel.call(DAVE, 'transferOut', channel.token, DAVE.address, 1n))).toBe('Bad(31)')
    expect(await verdict(town.call(DAVE.address, town.purse, 'fund', channel.token, DAVE.address, 700n))).toBe('Bad(4)')
    expect(await town.balance(channel.token, ALICE.address)).toBe(before)
  })

  it('F3: settled and opened again in one block, the old proofs are worth nothing', async () => {
    await channel.opened(400n, 400n)
    const old = channel.proofBy(ALICE, { nonce: 7n, transferred: 400n })
    expect(await verdict(channel.coopSettle(400n, 400n))).toBe('ok')
    channel.epoch = 2n
    await channel.opened(400n, 400n)
    for (const method of ['close', 'update']) expect(await verdict(channel.call(BOB, method, channel.token, ALICE.address, 400n, ZERO_HASH, 7n, ZERO_HASH, old))).toBe(method === 'close' ? 'Bad(10)' : 'Bad(11)')
    await channel.close(BOB)
    await channel.later()
    await channel.settle()
    expect(await moved()).toEqual([0n, 0n, 0n])
  })

  it('F4: a delegation is for exactly what it says; there is no other form of it', async () => {
    await channel.opened(400n, 0n)
    await channel.close(ALICE)
    const proof = { nonce: 2n, transferred: 100n }
    const signature = channel.signed(BOB, 'UpdateDelegate', { ...proof, locksroot: ZERO_HASH, watcher: CAROL.address, reward: 1n })
    const post = (transferred: bigint, nonce: bigint, watcher: Address, reward: bigint): Promise<Outcome> =>
      channel.call(CAROL, 'updateDelegate', [channel.token, ALICE.address, BOB.address, transferred, ZERO_HASH, nonce, ZERO_HASH, watcher, reward], channel.proofBy(ALICE, { nonce, transferred }), signature)
    // A watcher in league with the payer posts an older state: the receiver has not signed that one.
    for (const [transferred, nonce, watcher, reward] of [[10n, 1n, CAROL.address, 1n], [10n, 3n, CAROL.address, 1n], [100n, 2n, ZERO_ADDRESS, 1n], [100n, 2n, CAROL.address, 100n]] as const)
      expect(await verdict(post(transferred, nonce, watcher, reward))).toBe('Bad(10)')
    expect(await verdict(post(100n, 2n, CAROL.address, 1n))).toBe('ok')
  })

  it('F5: nobody opens a channel between two others, or has one filled that its owner did not mean', async () => {
    expect(await verdict(channel.deposit(ALICE, 1n, { from: CAROL, settleTimeout: 6 }))).toBe('Bad(6)')
    await channel.deposit(BOB, 1n, { settleTimeout: 6 })
    expect(await verdict(channel.deposit(ALICE, 600n, { settleTimeout: 600 }))).toBe('Bad(7)')
  })

  it('F6: withdrawals and settlements do not wait for years', async () => {
    await channel.opened(400n, 400n)
    const until = town.number + 10
    const signed = channel.signed(BOB, 'Withdraw', { participant: ALICE.address, total: 300n, validUntil: until })
    const own = channel.signed(ALICE, 'Withdraw', { participant: ALICE.address, total: 300n, validUntil: until })
    town.number += 5000
    expect(await verdict(channel.call(ALICE, 'withdraw', channel.token, ALICE.address, BOB.address, 300n, until, own, signed))).toBe('Bad(15)')
    expect(await verdict(channel.call(ALICE, 'withdraw', channel.token, ALICE.address, BOB.address, 300n, until + 9000, own, signed))).toBe('Bad(16)')
    expect(await verdict(channel.coopSettle(500n, 300n, until))).toBe('Bad(15)')
  })

  it('F9: a payer cannot post his own last word for the payee', async () => {
    await channel.opened(600n, 0n)
    await channel.close(BOB, { nonce: 5n, transferred: 600n })
    const last = { nonce: 2n ** 64n - 1n, transferred: 0n }
    expect(await verdict(channel.call(ALICE, 'update', channel.token, ALICE.address, 0n, ZERO_HASH, last.nonce, ZERO_HASH, channel.proofBy(ALICE, last)))).toBe('Bad(11)')
    expect(await verdict(channel.call(ALICE, 'update', channel.token, BOB.address, 0n, ZERO_HASH, last.nonce, ZERO_HASH, channel.proofBy(ALICE, last)))).toBe('Bad(10)')
    expect(await verdict(channel.call(CAROL, 'update', channel.token, ALICE.address, 0n, ZERO_HASH, last.nonce, ZERO_HASH, channel.proofBy(ALICE, last)))).toBe('Bad(11)')
    expect(await verdict(channel.delegated(BOB, ALICE, last, ZERO_ADDRESS, 0n, { signer: ALICE }))).toBe('Bad(10)')
    await channel.later()
    expect(await verdict(channel.settle([600n, ZERO_HASH]))).toBe('ok')
    expect(await moved()).toEqual([-600n, 600n, 0n])
  })
})

describe('found in our prototypes', () => {
  it('a claim cannot take what the pot no longer has', async () => {
    const others = await new Channel(town, channel.token, CAROL, OWNER).opened(500n, 0n)
    await channel.opened(100n, 100n)
    // Together, the two withdraw everything as Alice's, and then claim a voucher of Bob's against his untouched deposit.
    expect(await verdict(channel.withdraw(ALICE, 200n))).toBe('ok')
    expect(await verdict(channel.claim(BOB, { cumulative: 100n }))).toBe('Bad(29)')
    expect(await verdict(channel.withdraw(BOB, 1n))).toBe('Bad(29)')
    await channel.close(ALICE)
    expect(await verdict(channel.claim(BOB, { cumulative: 100n }))).toBe('Bad(29)')
    await channel.later()
    expect(await verdict(channel.settle())).toBe('ok')
    expect(await town.balance(channel.token, town.photon)).toBe(500n)
    expect(await verdict(others.coopSettle(500n, 0n))).toBe('ok')
  })

  it('a watcher’s reward cannot come out of what the receiver has passed on', async () => {
    await channel.opened(100n, 100n)
    await channel.close(BOB)
    expect(await verdict(channel.delegated(BOB, DAVE, { nonce: 1n, transferred: 1n }, DAVE.address, 100n))).toBe('ok')
    expect(await town.balance(channel.token, DAVE.address)).toBe(0n)
    await channel.update(ALICE, { nonce: 1n, transferred: 100n })
    await channel.later()
    await channel.settle([1n, ZERO_HASH], [100n, ZERO_HASH])
    expect([...(await moved()), await town.balance(channel.token, DAVE.address)]).toEqual([99n, -100n, 0n, 1n])
  })

  it('a cheater does not keep vouchers that he had not claimed', async () => {
    await channel.opened(100n, 10n)
    const lock = { expiration: 9_999n, amount: 5n, secret: secretOf(1) }
    await channel.register(lock.secret)
    await channel.close(BOB, { nonce: 1n, transferred: 0n, locksroot: lockHashOf(lock) })
    await channel.unlock(BOB, 0n, lock)
    await channel.punish(ALICE, lockHashOf(lock))
    expect(await verdict(channel.claim(ALICE, { cumulative: 100n }))).toBe('Bad(30)')
    await channel.later()
    await channel.settle()
    expect(await moved()).toEqual([10n, -10n, 0n])
  })
})

describe('signatures', () => {
  const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  it.each<[string, (good: Uint8Array) => Uint8Array | Hash | '0x', string]>([
    ['none', () => '0x', 'Bad(1)'],
    ['one byte short', (good) => good.slice(0, 64), 'Bad(1)'],
    ['one byte long', (good) => concatBytes(good, Uint8Array.of(0)), 'Bad(1)'],
    ['the twin with a high s', (good) => concatBytes(good.slice(0, 32), bytesOf(`0x${(N - BigInt(hexOf(good.slice(32, 64)))).toString(16).padStart(64, '0')}`), Uint8Array.of(good[64] === 27 ? 28 : 27)), 'Bad(2)'],
    ['v of 0 or 1', (good) => concatBytes(good.slice(0, 64), Uint8Array.of((good[64] ?? 0) - 27)), 'Bad(3)'],
    ['zeros', () => new Uint8Array(65), 'Bad(3)'],
    ['another v', (good) => concatBytes(good.slice(0, 64), Uint8Array.of(good[64] === 27 ? 28 : 27)), 'Bad(10)'],
  ])('%s', async (_, spoil, expected) => {
    await channel.opened(100n, 0n)
    const good = channel.proofBy(ALICE, { nonce: 1n, transferred: 5n })
    expect(await verdict(channel.call(BOB, 'close', channel.token, ALICE.address, 5n, ZERO_HASH, 1n, ZERO_HASH, spoil(good)))).toBe(expected)
    expect(await verdict(channel.call(BOB, 'close', channel.token, ALICE.address, 5n, ZERO_HASH, 1n, ZERO_HASH, good))).toBe('ok')
  })

  it('of nobody are not those of the zero address', async () => {
    await channel.opened(100n, 0n)
    expect(await verdict(channel.call(CAROL, 'close', channel.token, ZERO_ADDRESS, 0n, ZERO_HASH, 1n, ZERO_HASH, new Uint8Array(65)))).toBe('Bad(9)')
  })
})

describe("strangers' tokens", () => {
  it.each<[TokenName, string]>([['PlainToken', 'ok'], ['SilentToken', 'ok'], ['FeeToken', 'Bad(8)'], ['LyingToken', 'Bad(8)']])('%s: a deposit is %s', async (name, expected) => {
    await onToken(name)
    expect(await verdict(channel.deposit(ALICE, 500n))).toBe(expected)
    if (expected === 'ok') {
      expect(await verdict(channel.coopSettle(500n, 0n))).toBe('ok')
      expect(await moved()).toEqual([0n, 0n, 0n])
    }
  })

  it.each([[false], [true]])('false instead of a payment (money moves: %s) is no payment', async (moves) => {
    await onToken('FalseToken')
    await channel.opened(100n, 100n)
    await town.call(OWNER.address, channel.token, 'set', moves, false)
    expect(await verdict(channel.deposit(ALICE, 5n))).toBe('Bad(4)')
    expect(await verdict(channel.withdraw(ALICE, 5n))).toBe('Bad(4)')
    expect(await verdict(channel.claim(ALICE, { cumulative: 5n }))).toBe('Bad(4)')
    // Settling notes it instead, and the transfer that said false has not happened.
    expect(await verdict(channel.coopSettle(150n, 50n))).toBe('ok')
    expect(await moved()).toEqual([-100n, -100n, 200n])
    expect(await verdict(channel.call(CAROL, 'collect', channel.token, ALICE.address))).toBe('Bad(4)')
    await town.call(OWNER.address, channel.token, 'set', true, true)
    expect(await verdict(channel.call(CAROL, 'collect', channel.token, ALICE.address))).toBe('ok')
    expect(await verdict(channel.call(CAROL, 'collect', channel.token, ALICE.address))).toBe('Bad(20)')
    expect(await verdict(channel.call(BOB, 'collect', channel.token, BOB.address))).toBe('ok')
    expect(await moved()).toEqual([50n, -50n, 0n])
  })

  it('one receiver who is refused does not hold the other one’s money', async () => {
    await onToken('RefusingToken')
    await channel.opened(100n, 100n)
    await town.call(OWNER.address, channel.token, 'refuse', BOB.address)
    await channel.close(ALICE, { nonce: 1n, transferred: 30n })
    await channel.later()
    expect(await verdict(channel.settle([0n, ZERO_HASH], [30n, ZERO_HASH]))).toBe('ok')
    expect(await moved()).toEqual([30n, -100n, 70n])
    expect(await town.number256(town.photon, 'owed', channel.token, BOB.address)).toBe(70n)
    await town.call(OWNER.address, channel.token, 'refuse', ZERO_ADDRESS)
    await channel.call(CAROL, 'collect', channel.token, BOB.address)
    expect(await moved()).toEqual([30n, -30n, 0n])
  })
})

describe('a token that calls back', () => {
  const inner = async (): Promise<readonly [boolean, string]> => {
    const isDone = (await town.ask(channel.token, 'isDone'))[0] as boolean
    return [isDone, String((await town.ask(channel.token, 'result'))[0])]
  }
  const REENTERED = badOf(27)

  it.each<[string, () => Promise<Uint8Array>]>([
    ['deposit', () => Promise.resolve(town.data(town.photon, 'deposit', channel.token, channel.token, BOB.address, 5n, 10, 1n))],
    ['openFor', () => Promise.resolve(town.data(town.photon, 'openFor', channel.token, CAROL.address, BOB.address, 5n, 10, 1n, 9_999, '0x'))],
    ['withdraw', () => Promise.resolve(town.data(town.photon, 'withdraw', channel.token, ALICE.address, BOB.address, 50n, 9_999, channel.signed(ALICE, 'Withdraw', { participant: ALICE.address, total: 50n, validUntil: 9_999 }), channel.signed(BOB, 'Withdraw', { participant: ALICE.address, total: 50n, validUntil: 9_999 })))],
    ['claim', () => Promise.resolve(town.data(town.photon, 'claim', [channel.token, ALICE.address, BOB.address, 90n, ZERO_HASH, 0, 0n], channel.signed(ALICE, 'Voucher', { cumulative: 90n, tip: ZERO_HASH, steps: 0, unit: 0n }), ZERO_HASH, 0))],
    ['close', () => Promise.resolve(town.data(town.photon, 'close', channel.token, ALICE.address, 0n, ZERO_HASH, 0n, ZERO_HASH, '0x'))],
    ['update', () => Promise.resolve(town.data(town.photon, 'update', channel.token, ALICE.address, 0n, ZERO_HASH, 1n, ZERO_HASH, '0x'))],
    ['unlock', () => Promise.resolve(town.data(town.photon, 'unlock', channel.token, ALICE.address, 0n, 0n, 1n, ZERO_HASH, []))],
    ['punish', () => Promise.resolve(town.data(town.photon, 'punish', channel.token, ALICE.address, ZERO_HASH, ZERO_HASH, '0x'))],
    ['settle', () => Promise.resolve(town.data(town.photon, 'settle', channel.token, ALICE.address, 0n, ZERO_HASH, BOB.address, 0n, ZERO_HASH))],
    ['collect', () => Promise.resolve(town.data(town.photon, 'collect', channel.token, ALICE.address))],
  ])('finds %s shut, on the way in and on the way out', async (_, dataOf) => {
    await onToken('ReenteringToken')
    await channel.opened(100n, 100n)
    await town.call(OWNER.address, channel.token, 'arm', town.photon, await dataOf())
    expect(await verdict(channel.claim(ALICE, { cumulative: 40n }))).toBe('ok')
    expect(await inner()).toEqual([false, REENTERED])
    expect(await verdict(channel.deposit(ALICE, 10n))).toBe('ok')
    expect(await inner()).toEqual([false, REENTERED])
    expect(await verdict(channel.coopSettle(70n, 100n))).toBe('ok')
    expect(await inner()).toEqual([false, REENTERED])
    expect(await moved()).toEqual([-40n, 40n, 0n])
  })

  it('finds the purse shut', async () => {
    await onToken('ReenteringToken')
    await town.call(ALICE.address, town.purse, 'fund', channel.token, channel.token, 50n)
    await town.call(OWNER.address, channel.token, 'arm', town.purse, town.data(town.purse, 'withdraw', channel.token, DAVE.address, 50n))
    expect(await verdict(town.call(BOB.address, town.purse, 'fund', channel.token, BOB.address, 5n))).toBe('ok')
    expect(await inner()).toEqual([false, REENTERED])
    expect(await verdict(town.call(BOB.address, town.purse, 'withdraw', channel.token, BOB.address, 5n))).toBe('ok')
    expect(await inner()).toEqual([false, REENTERED])
    expect(await town.balance(channel.token, DAVE.address)).toBe(0n)
  })
})

/** Bad(code), as returned. */
function badOf(code: number): string {
  const selector = hexOf(native.keccak256(new TextEncoder().encode('Bad(uint8)')).slice(0, 4))
  return `${selector}${code.toString(16).padStart(64, '0')}`
}

/** A proof signed for some other domain. */
async function withDomain(domain: { readonly name: string; readonly version: string; readonly contract: Address; readonly chainId?: bigint }): Promise<Outcome> {
  const { digestOf } = await import('./channel.ts')
  const digest = digestOf(domain, 'BalanceProof', { channel: channel.id, epoch: 1n, nonce: 1n, transferred: 5n, locksroot: ZERO_HASH, extra: ZERO_HASH })
  return channel.call(ALICE, 'close', channel.token, BOB.address, 5n, ZERO_HASH, 1n, ZERO_HASH, sign(BOB, digest))
}
