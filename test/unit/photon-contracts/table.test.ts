/** Every row of photon.md 9.3, refusals and money, exact to the unit and nothing left over. Rules of Byzantium. */
import { beforeEach, describe, expect, it } from 'vitest'
import { ZERO_ADDRESS, ZERO_HASH } from '../../../src/base/index.ts'
import { Channel, hashChain, lockHashOf, pairHash, secretOf } from './channel.ts'
import { ALICE, BOB, CAROL, CHAIN_ID, OWNER, Town } from './town.ts'
import type { Outcome } from './town.ts'

const START = 10_000n
let town: Town
let channel: Channel

beforeEach(async () => {
  town = await Town.build()
  channel = new Channel(town, await town.token('PlainToken', START))
})
const verdict = async (outcome: Promise<Outcome>): Promise<string> => (await outcome).verdict
/** ALICE, BOB and the contract, as differences to the start. */
const moved = async (): Promise<readonly bigint[]> => {
  const [a, b, contract] = await channel.money()
  return [a - START, b - START, contract]
}

describe('deposit', () => {
  it('opens by the participant only, with the next epoch and a timeout in range', async () => {
    expect(await verdict(channel.deposit(ALICE, 5n, { from: CAROL }))).toBe('Bad(6)')
    expect(await verdict(channel.deposit(ALICE, 5n, { from: BOB }))).toBe('Bad(6)')
    for (const epoch of [0n, 2n]) expect(await verdict(channel.deposit(ALICE, 5n, { epoch }))).toBe('Bad(6)')
    for (const settleTimeout of [0, 5, 2_700_001]) expect(await verdict(channel.deposit(ALICE, 5n, { settleTimeout }))).toBe('Bad(6)')
    for (const settleTimeout of [6, 2_700_000]) {
      await town.mark()
      expect(await verdict(channel.deposit(ALICE, 5n, { settleTimeout }))).toBe('ok')
      await town.back()
    }
    expect(await moved()).toEqual([0n, 0n, 0n])
  })

  it('refuses nothing, nobody, oneself, and a token without code', async () => {
    const { token } = channel
    const [a, b] = [ALICE.address, BOB.address]
    for (const [t, p, q, amount] of [[token, a, b, 0n], [token, a, a, 1n], [token, a, ZERO_ADDRESS, 1n], [token, ZERO_ADDRESS, b, 1n], [CAROL.address, a, b, 1n]])
      expect(await verdict(channel.call(ALICE, 'deposit', t, p, q, amount, 10, 1n))).toBe('Bad(5)')
  })

  it('adds to an open channel from anybody who means that channel', async () => {
    await channel.opened(100n, 0n)
    expect(await verdict(channel.deposit(BOB, 50n, { from: OWNER }))).toBe('ok')
    expect(await verdict(channel.deposit(ALICE, 7n, { from: BOB }))).toBe('ok')
    for (const changes of [{ epoch: 2n }, { epoch: 0n }, { settleTimeout: 11 }]) expect(await verdict(channel.deposit(BOB, 1n, changes))).toBe('Bad(7)')
    expect((await town.ask(town.photon, 'sideOf', channel.token, ALICE.address, BOB.address)).toArray().slice(0, 3)).toEqual([107n, 0n, 0n])
    expect((await town.ask(town.photon, 'sideOf', channel.token, BOB.address, ALICE.address))[0]).toBe(50n)
    await channel.close(ALICE)
    expect(await verdict(channel.deposit(BOB, 1n))).toBe('Bad(7)')
    expect((await channel.money())[2]).toBe(157n)
  })

  it('keeps a deposit within 128 bits', async () => {
    await town.call(ALICE.address, channel.token, 'mint', ALICE.address, 2n ** 129n)
    await channel.opened(2n ** 128n - 1n, 0n)
    expect(await verdict(channel.deposit(ALICE, 1n))).toBe('Panic(17)')
  })

  it('does not open twice with one allowance, nor without any', async () => {
    await town.call(ALICE.address, channel.token, 'approve', town.photon, 5n)
    expect(await verdict(channel.deposit(ALICE, 6n))).toBe('Bad(4)')
    expect(await verdict(channel.deposit(ALICE, 5n))).toBe('ok')
    expect(await verdict(channel.deposit(ALICE, 1n))).toBe('Bad(4)')
  })
})

describe('openFor', () => {
  const open = (changes: Partial<{ amount: bigint; settleTimeout: number; epoch: bigint; validUntil: number; signer: typeof ALICE }> = {}, sender = OWNER): Promise<Outcome> => {
    const signed = { participant: ALICE.address, amount: 80n, settleTimeout: 20, validUntil: town.number + 5 }
    const asked = { ...signed, epoch: 1n, ...changes }
    const signature = channel.signed(changes.signer ?? ALICE, 'Open', signed)
    return channel.call(sender, 'openFor', channel.token, ALICE.address, BOB.address, asked.amount, asked.settleTimeout, asked.epoch, asked.validUntil, signature)
  }

  it('opens for who has signed, with the money of who sends', async () => {
    expect(await verdict(open())).toBe('ok')
    expect(await town.balance(channel.token, OWNER.address)).toBe(START - 80n)
    expect(await moved()).toEqual([0n, 0n, 80n])
    expect((await town.ask(town.photon, 'info', channel.token, ALICE.address, BOB.address)).toArray().slice(1)).toEqual([1n, 0n, 1n, 20n])
  })

  it.each([
    ['another amount', { amount: 81n }, 'Bad(10)'],
    ['another timeout', { settleTimeout: 6 }, 'Bad(10)'],
    ['another epoch', { epoch: 2n }, 'Bad(10)'],
    ['a later end', { validUntil: 99_999 }, 'Bad(10)'],
    ["the partner's signature", { signer: BOB }, 'Bad(10)'],
  ])('refuses %s', async (_, changes, expected) => {
    expect(await verdict(open(changes))).toBe(expected)
  })

  it('ends with its block, and is good for one life', async () => {
    const signed = { participant: ALICE.address, amount: 80n, settleTimeout: 20, validUntil: town.number }
    const again = (): Promise<Outcome> => channel.call(OWNER, 'openFor', channel.token, ALICE.address, BOB.address, 80n, 20, 1n, signed.validUntil, channel.signed(ALICE, 'Open', signed))
    town.number++
    expect(await verdict(again())).toBe('Bad(15)')
    town.number--
    expect(await verdict(again())).toBe('ok')
    expect(await verdict(again())).toBe('Bad(6)')
    expect(await verdict(channel.coopSettle(80n, 0n))).toBe('ok')
    expect(await verdict(again())).toBe('Bad(6)')
  })
})

describe('close and update', () => {
  it('only by participants, once; a proof is the partner’s, of this life', async () => {
    await channel.opened(100n, 100n)
    expect(await verdict(channel.call(CAROL, 'close', channel.token, ALICE.address, 0n, ZERO_HASH, 0n, ZERO_HASH, '0x'))).toBe('Bad(9)')
    const own = channel.proofBy(ALICE, { nonce: 1n, transferred: 5n })
    expect(await verdict(channel.call(ALICE, 'close', channel.token, BOB.address, 5n, ZERO_HASH, 1n, ZERO_HASH, own))).toBe('Bad(10)')
    expect(await verdict(channel.close(ALICE, { nonce: 1n, transferred: 5n, epoch: 2n }))).toBe('Bad(10)')
    expect(await verdict(channel.update(ALICE, { nonce: 1n, transferred: 5n }))).toBe('Bad(11)')
    expect(await verdict(channel.close(ALICE, { nonce: 1n, transferred: 5n }))).toBe('ok')
    expect(await verdict(channel.close(ALICE))).toBe('Bad(9)')
    expect(await verdict(channel.close(BOB))).toBe('Bad(9)')
  })

  it('an update is newer, until the settle block, also by who closed', async () => {
    await channel.opened(100n, 100n)
    await channel.close(ALICE, { nonce: 2n, transferred: 5n })
    for (const nonce of [1n, 2n]) expect(await verdict(channel.update(ALICE, { nonce, transferred: 50n }))).toBe('Bad(12)')
    expect(await verdict(channel.update(ALICE, { nonce: 3n, transferred: 6n }))).toBe('ok')
    town.number += channel.settleTimeout
    expect(await verdict(channel.update(BOB, { nonce: 9n, transferred: 40n }))).toBe('ok')
    town.number++
    expect(await verdict(channel.update(BOB, { nonce: 10n, transferred: 41n }))).toBe('Bad(11)')
    town.number += 257 - 1
    expect(await verdict(channel.settle([40n, ZERO_HASH], [6n, ZERO_HASH]))).toBe('Bad(25)')
    town.number++
    expect(await verdict(channel.settle([41n, ZERO_HASH], [6n, ZERO_HASH]))).toBe('Bad(14)')
    expect(await verdict(channel.settle([40n, ZERO_HASH], [5n, ZERO_HASH]))).toBe('Bad(14)')
    expect(await verdict(channel.settle([40n, ZERO_HASH], [6n, ZERO_HASH], CAROL))).toBe('ok')
    expect(await moved()).toEqual([-34n, 34n, 0n])
    expect(await verdict(channel.settle([40n, ZERO_HASH], [6n, ZERO_HASH]))).toBe('Bad(11)')
  })

  it('says in Closed only what was proved', async () => {
    await channel.opened(100n, 0n)
    const { logs } = await channel.call(BOB, 'close', channel.token, ALICE.address, 77n, secretOf(1), 0n, ZERO_HASH, '0x')
    expect(Buffer.from(logs[0]?.data ?? []).toString('hex')).toBe([BOB.address.slice(2), '', '', '', (town.number + 10).toString(16)].map((word) => word.padStart(64, '0')).join(''))
  })

  it.each([
    ['more than there is', 5000n, [-100n, 100n]],
    ['2^256 - 1', 2n ** 256n - 1n, [-100n, 100n]],
  ])('pays no more than the pot for %s', async (_, transferred, expected) => {
    await channel.opened(100n, 40n)
    await channel.close(BOB, { nonce: 1n, transferred })
    await channel.later()
    expect(await verdict(channel.settle([transferred, ZERO_HASH]))).toBe('ok')
    expect((await moved()).slice(0, 2)).toEqual(expected)
    expect((await moved())[2]).toBe(0n)
  })
})

describe('updateDelegate', () => {
  const proof = { nonce: 4n, transferred: 60n }
  const promised = async (): Promise<bigint> => (await town.balance(channel.token, CAROL.address)) - START

  it('by the named watcher only, exactly that state and reward', async () => {
    await channel.opened(100n, 0n)
    expect(await verdict(channel.delegated(BOB, CAROL, proof))).toBe('Bad(11)')
    await channel.close(ALICE)
    expect(await verdict(channel.delegated(BOB, OWNER, proof, CAROL.address, 5n))).toBe('Bad(13)')
    expect(await verdict(channel.delegated(BOB, CAROL, proof, CAROL.address, 5n, { reward: 6n }))).toBe('Bad(10)')
    expect(await verdict(channel.delegated(BOB, CAROL, proof, CAROL.address, 5n, { signer: ALICE }))).toBe('Bad(10)')
    expect(await verdict(channel.delegated(BOB, CAROL, proof, CAROL.address, 5n))).toBe('ok')
    expect(await verdict(channel.delegated(BOB, CAROL, proof, CAROL.address, 5n))).toBe('Bad(12)')
    await channel.later()
    expect(await verdict(channel.settle([60n, ZERO_HASH]))).toBe('ok')
    expect([await promised(), ...(await moved())]).toEqual([5n, -60n, 55n, 0n])
  })

  it('pays the reward from what is the receiver’s in the end, and no more', async () => {
    await channel.opened(100n, 100n)
    // Bob has passed all that he had to Alice, and promises a friend a hundred of it.
    await channel.close(ALICE)
    expect(await verdict(channel.delegated(BOB, CAROL, { nonce: 1n, transferred: 1n }, CAROL.address, 100n))).toBe('ok')
    expect(await verdict(channel.update(ALICE, { nonce: 1n, transferred: 101n }))).toBe('ok')
    await channel.later()
    expect(await verdict(channel.settle([1n, ZERO_HASH], [101n, ZERO_HASH]))).toBe('ok')
    expect([await promised(), ...(await moved())]).toEqual([0n, 100n, -100n, 0n])
  })

  it('first come, first paid; four at most, and none that is out of range', async () => {
    await channel.opened(100n, 0n)
    await channel.close(ALICE)
    expect(await verdict(channel.delegated(BOB, CAROL, { nonce: 1n, transferred: 10n }, CAROL.address, 2n ** 96n))).toBe('Bad(26)')
    for (const nonce of [1n, 2n]) expect(await verdict(channel.delegated(BOB, OWNER, { nonce, transferred: 10n }, ZERO_ADDRESS, 4n))).toBe('ok')
    for (const nonce of [3n, 4n]) expect(await verdict(channel.delegated(BOB, CAROL, { nonce, transferred: 10n }, ZERO_ADDRESS, 7n))).toBe('ok')
    expect(await verdict(channel.delegated(BOB, CAROL, { nonce: 5n, transferred: 10n }, ZERO_ADDRESS, 1n))).toBe('Bad(26)')
    expect(await verdict(channel.delegated(BOB, CAROL, { nonce: 5n, transferred: 10n }))).toBe('ok')
    await channel.later()
    await channel.settle([10n, ZERO_HASH])
    expect([await promised(), (await town.balance(channel.token, OWNER.address)) - START, ...(await moved())]).toEqual([2n, 8n, -100n + 90n, 0n, 0n])
  })
})

describe('unlock and punish', () => {
  const locks = [1, 2, 3].map((number) => ({ expiration: 1_005n, amount: BigInt(number) * 10n, secret: secretOf(number) }))
  const [first, second, third] = locks as [(typeof locks)[0], (typeof locks)[0], (typeof locks)[0]]
  const pair = pairHash(lockHashOf(first), lockHashOf(second))
  const root = pairHash(pair, lockHashOf(third))
  const proofs = { first: [lockHashOf(second), lockHashOf(third)], third: [pair] }

  beforeEach(async () => {
    await channel.opened(100n, 50n)
    await channel.close(BOB, { nonce: 3n, transferred: 20n, locksroot: root })
  })

  it('pays a lock whose secret was registered in time, once', async () => {
    expect(await verdict(channel.unlock(BOB, 20n, first, proofs.first))).toBe('Bad(22)')
    expect(await verdict(channel.register(first.secret))).toBe('ok')
    expect(await verdict(channel.register(first.secret))).toBe('AlreadyRegistered()')
    expect(await verdict(channel.unlock(BOB, 21n, first, proofs.first))).toBe('Bad(14)')
    expect(await verdict(channel.unlock(BOB, 20n, first, proofs.third))).toBe('Bad(14)')
    expect(await verdict(channel.unlock(ALICE, 20n, first, proofs.first))).toBe('Bad(14)')
    expect(await verdict(channel.unlock(BOB, 20n, first, proofs.first))).toBe('ok')
    expect(await verdict(channel.unlock(BOB, 30n, first, proofs.first))).toBe('Bad(23)')
    town.number = 1_006
    await channel.register(third.secret)
    expect(await verdict(channel.unlock(BOB, 30n, third, proofs.third))).toBe('Bad(22)')
    town.number = 1_005
    await channel.register(second.secret)
    expect(await verdict(channel.unlock(BOB, 30n, second, [lockHashOf(first), lockHashOf(third)]))).toBe('ok')
    town.number = 1_011
    expect(await verdict(channel.unlock(BOB, 50n, first, proofs.first))).toBe('Bad(11)')
    await channel.later()
    expect(await verdict(channel.settle([50n, root]))).toBe('ok')
    expect(await moved()).toEqual([-50n, 50n, 0n])
  })

  it('punishes who unlocks what he gave up: deposit, proofs and vouchers are gone', async () => {
    expect(await verdict(channel.claim(ALICE, { cumulative: 9n }))).toBe('ok')
    await channel.register(first.secret)
    expect(await verdict(channel.punish(ALICE, lockHashOf(first)))).toBe('Bad(24)')
    await channel.unlock(BOB, 20n, first, proofs.first)
    expect(await verdict(channel.punish(ALICE, lockHashOf(first), CAROL))).toBe('Bad(10)')
    expect(await verdict(channel.punish(ALICE, lockHashOf(second)))).toBe('Bad(24)')
    expect(await verdict(channel.punish(BOB, lockHashOf(first)))).toBe('Bad(24)')
    town.number = 1_200
    expect(await verdict(channel.punish(ALICE, lockHashOf(first)))).toBe('ok')
    expect(await verdict(channel.punish(ALICE, lockHashOf(first)))).toBe('Bad(24)')
    town.number = 1_001
    expect(await verdict(channel.update(BOB, { nonce: 2n ** 64n - 1n, transferred: 90n }))).toBe('Bad(12)')
    expect(await verdict(channel.claim(ALICE, { cumulative: 30n }))).toBe('Bad(30)')
    expect(await verdict(channel.claim(BOB, { cumulative: 1n }))).toBe('Bad(20)')
    await channel.later()
    expect(await verdict(channel.settle())).toBe('ok')
    expect(await moved()).toEqual([50n - 9n, -50n + 9n, 0n])
  })

  it('a newer proof makes an unlocked lock as if it were not, and nothing is left to punish', async () => {
    await channel.register(first.secret)
    await channel.unlock(BOB, 20n, first, proofs.first)
    expect(await verdict(channel.update(BOB, { nonce: 4n, transferred: 21n }))).toBe('ok')
    expect(await verdict(channel.punish(ALICE, lockHashOf(first)))).toBe('Bad(24)')
    await channel.later()
    expect(await verdict(channel.settle([21n, ZERO_HASH]))).toBe('ok')
    expect(await moved()).toEqual([-21n, 21n, 0n])
  })

  it('leaks nothing into the next life', async () => {
    await channel.register(first.secret)
    await channel.unlock(BOB, 20n, first, proofs.first)
    await channel.later()
    await channel.settle([30n, root])
    channel.epoch = 2n
    await channel.opened(100n, 50n)
    await channel.close(BOB, { nonce: 3n, transferred: 20n, locksroot: root })
    expect(await verdict(channel.punish(ALICE, lockHashOf(first)))).toBe('Bad(24)')
    town.number = 1_000
    expect(await verdict(channel.unlock(BOB, 20n, first, proofs.first))).toBe('ok')
  })
})

describe('claim', () => {
  const chain = hashChain(secretOf(9), 60)
  const voucher = { cumulative: 10n, tip: chain[0] ?? ZERO_HASH, steps: 60, unit: 2n }
  const tick = (index: number): [number, `0x${string}`] => [index, chain[index] ?? ZERO_HASH]

  beforeEach(async () => {
    await channel.opened(100n, 40n)
  })

  it('pays cumulative and ticks, open, by anybody, only what is more than before', async () => {
    expect(await verdict(channel.claim(ALICE, voucher, ...tick(5), CAROL))).toBe('ok')
    expect(await moved()).toEqual([-100n, -40n + 20n, 120n])
    for (const index of [5, 4]) expect(await verdict(channel.claim(ALICE, voucher, ...tick(index)))).toBe('Bad(20)')
    expect(await verdict(channel.claim(ALICE, voucher, ...tick(45)))).toBe('ok')
    expect(await verdict(channel.claim(ALICE, voucher, ...tick(46)))).toBe('Bad(20)')
    expect(await verdict(channel.claim(ALICE, { cumulative: 101n }))).toBe('Bad(20)')
    expect(await moved()).toEqual([-100n, 60n, 40n])
  })

  it('refuses a wrong tick, more ticks than steps, another signer, another life', async () => {
    expect(await verdict(channel.claim(ALICE, voucher, 5, chain[6]))).toBe('Bad(19)')
    expect(await verdict(channel.claim(ALICE, { ...voucher, steps: 4 }, ...tick(5)))).toBe('Bad(19)')
    expect(await verdict(channel.claim(ALICE, voucher, ...tick(5), BOB, BOB))).toBe('Bad(10)')
    expect(await verdict(channel.claim(ALICE, { ...voucher, epoch: 2n }, ...tick(5)))).toBe('Bad(10)')
    expect(await verdict(channel.claim(ALICE, { cumulative: 2n ** 128n - 1n, tip: voucher.tip, steps: 60, unit: 2n ** 128n - 1n }, ...tick(5)))).toBe('Bad(20)')
  })

  it('works closed until the settle block, and shares one counter with proofs', async () => {
    await channel.close(ALICE, { nonce: 1n, transferred: 15n })
    town.number += 10
    expect(await verdict(channel.claim(ALICE, voucher, ...tick(30)))).toBe('ok')
    expect(await verdict(channel.update(BOB, { nonce: 5n, transferred: 50n }))).toBe('ok')
    town.number++
    expect(await verdict(channel.claim(ALICE, voucher, ...tick(31)))).toBe('Bad(11)')
    await channel.later()
    expect(await verdict(channel.settle([50n, ZERO_HASH], [15n, ZERO_HASH]))).toBe('ok')
    // 70 by vouchers are more than 50 by proofs: Alice has paid 70, and got 15.
    expect(await moved()).toEqual([-55n, 55n, 0n])
  })

  it('is nothing after the channel has ended', async () => {
    await channel.coopSettle(100n, 40n)
    expect(await verdict(channel.claim(ALICE, voucher, ...tick(5)))).toBe('Bad(11)')
  })
})

describe('withdraw and coopSettle', () => {
  beforeEach(async () => {
    await channel.opened(100n, 40n)
  })

  it('withdraw pays up to a signed total and leaves proofs and epoch alone', async () => {
    expect(await verdict(channel.withdraw(ALICE, 30n))).toBe('ok')
    expect(await verdict(channel.withdraw(ALICE, 30n))).toBe('Bad(18)')
    expect(await verdict(channel.withdraw(ALICE, 20n))).toBe('Bad(18)')
    expect(await verdict(channel.withdraw(ALICE, 45n))).toBe('ok')
    expect(await verdict(channel.withdraw(ALICE, 50n, town.number - 1))).toBe('Bad(15)')
    expect(await verdict(channel.withdraw(ALICE, 50n, town.number, [ALICE, ALICE]))).toBe('Bad(16)')
    expect(await verdict(channel.withdraw(ALICE, 50n, town.number, [BOB, BOB]))).toBe('Bad(16)')
    expect(await verdict(channel.withdraw(ALICE, 50n, town.number, [ALICE, BOB], 2n))).toBe('Bad(16)')
    expect(await verdict(channel.withdraw(ALICE, 141n))).toBe('Bad(29)')
    await channel.close(BOB, { nonce: 8n, transferred: 12n })
    expect(await verdict(channel.withdraw(ALICE, 60n))).toBe('Bad(9)')
    await channel.later()
    await channel.settle([12n, ZERO_HASH])
    expect(await moved()).toEqual([-12n, 12n, 0n])
  })

  it('coopSettle pays exactly the pot, to whom both have signed it', async () => {
    await channel.withdraw(BOB, 15n)
    await channel.claim(ALICE, { cumulative: 20n })
    for (const [a, b] of [[100n, 40n], [65n, 41n], [106n, 0n]] as const) expect(await verdict(channel.coopSettle(a, b))).toBe('Bad(17)')
    expect(await verdict(channel.coopSettle(2n ** 256n - 1n, 106n))).toBe('Bad(17)')
    expect(await verdict(channel.coopSettle(65n, 40n, town.number - 1))).toBe('Bad(15)')
    expect(await verdict(channel.coopSettle(65n, 40n, town.number, [ALICE, ALICE]))).toBe('Bad(16)')
    expect(await verdict(channel.coopSettle(65n, 40n))).toBe('ok')
    expect(await verdict(channel.coopSettle(65n, 40n))).toBe('Bad(9)')
    expect(await moved()).toEqual([-35n, 35n, 0n])
  })

  it('not while it is closed', async () => {
    await channel.close(ALICE)
    expect(await verdict(channel.coopSettle(100n, 40n))).toBe('Bad(9)')
  })
})

describe('construction', () => {
  it('needs a chain id and a registry that is there', async () => {
    await expect(town.deploy('PhotonV2', 0n, town.registry)).rejects.toThrow('Bad(5)')
    await expect(town.deploy('PhotonV2', CHAIN_ID, CAROL.address)).rejects.toThrow('Bad(5)')
    expect(await town.number256(town.photon, 'chainId')).toBe(CHAIN_ID)
  })

  it('two contracts may share a registry', async () => {
    const second = await town.deploy('PhotonV2', CHAIN_ID, town.registry)
    expect((await town.ask(second, 'secretRegistry'))[0]).toBe((await town.ask(town.photon, 'secretRegistry'))[0])
    await channel.register(secretOf(1))
    expect(await town.number256(town.registry, 'secrethash_to_block', hashChain(secretOf(1), 1)[0])).toBe(1_000n)
  })
})
