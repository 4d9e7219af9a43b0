/**
 * Random sequences of calls, allowed and forbidden ones, by three people over the channels between them in two tokens.
 * After each call the contract holds exactly its pots, read from its storage; at the end it holds nothing, and nobody
 * has less than he was sure of. PHOTON_FUZZ_SEQUENCES asks for more of them; the seed names the sequences, and
 * PHOTON_FUZZ_FIRST tells which to begin with, so that several processes share a long run.
 */
import { expect, it } from 'vitest'
import { ZERO_ADDRESS, ZERO_HASH } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { channelSlot, readSideWords, sideSlots } from '../../../src/photon/chain/storage.ts'
import { randomStream } from '../native/random-stream.ts'
import type { RandomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { Channel, lockHashOf, secretHashOf, secretOf } from './channel.ts'
import type { TestLock } from './channel.ts'
import { Life, Signer } from './fuzz-party.ts'
import type { SideBook, SignedProof } from './fuzz-party.ts'
import { ALICE, BOB, CAROL, Town } from './town.ts'
import type { Outcome } from './town.ts'

const SEQUENCES = Number(process.env.PHOTON_FUZZ_SEQUENCES ?? '500')
const FIRST = Number(process.env.PHOTON_FUZZ_FIRST ?? '0')
const SEED = process.env.PHOTON_FUZZ_SEED ?? 'photon-contracts'
const PEOPLE = [ALICE, BOB, CAROL] as const
const PAIRS: readonly (readonly [Person, Person])[] = [[ALICE, BOB], [BOB, CAROL], [ALICE, CAROL]]
const START = 1_000_000n
const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)

const town = await Town.build()
const tokens = [await town.token('PlainToken', START, PEOPLE.map((one) => one.address)), await town.token('SilentToken', START, PEOPLE.map((one) => one.address))] as const
const signer = new Signer(town.photon)
const balanceSlot = (owner: Address): bigint => BigInt(`0x${Buffer.from(keccak(Buffer.from(owner.slice(2).padStart(64, '0') + '0'.repeat(64), 'hex'))).toString('hex')}`)
const CONTRACT_SLOT = balanceSlot(town.photon)
const counts = new Map<string, [number, number]>()

/** A pair's channel in a token through all its lives. */
class Pair {
  readonly id: Hash
  readonly token: Address
  readonly people: readonly [Person, Person]
  readonly slots: readonly [bigint, readonly (readonly [bigint, bigint, bigint])[]]
  life: Life
  epoch = 0n

  constructor(token: Address, people: readonly [Person, Person]) {
    this.token = token
    this.people = people
    this.id = new Channel(town, token, ...people).id
    this.slots = [channelSlot(keccak, this.id), people.map((one) => sideSlots(keccak, this.id, one.address))]
    this.life = new Life(this.id, token, people, 1n, 6)
  }

  renew(random: RandomStream): void {
    this.epoch++
    this.life = new Life(this.id, this.token, this.people, this.epoch, 6 + random.below(5))
  }

  async pot(): Promise<bigint> {
    let pot = 0n
    for (const slots of this.slots[1]) {
      const words: bigint[] = []
      for (const slot of slots) words.push(await town.word(town.photon, slot))
      const side = readSideWords([words[0] ?? 0n, words[1] ?? 0n, words[2] ?? 0n])
      pot += side.deposit - side.claimed - side.withdrawn
    }
    return pot
  }
}

class Sequence {
  readonly random: RandomStream
  readonly pairs: readonly Pair[]
  readonly touched = new Set<Pair>()
  readonly lives = new Set<Life>()
  #secrets = 0

  constructor(random: RandomStream) {
    this.random = random
    this.pairs = tokens.flatMap((token) => PAIRS.map((people) => new Pair(token, people)))
  }

  /** Sends it, checks what must hold after every call, and keeps count. */
  async send(from: Person, method: string, ...values: readonly unknown[]): Promise<Outcome> {
    const outcome = await town.call(from.address, town.photon, method, ...values)
    const count = counts.get(method) ?? [0, 0]
    counts.set(method, count)
    count[outcome.verdict === 'ok' ? 0 : 1]++
    await this.#check(method)
    return outcome
  }

  async #check(after: string): Promise<void> {
    for (const token of tokens) {
      let pots = 0n
      for (const pair of this.touched) if (pair.token === token) pots += await pair.pot()
      const held = await town.word(token, CONTRACT_SLOT)
      if (held !== pots) throw new Error(`after ${after}: the contract holds ${held}, its pots are ${pots}`)
    }
  }

  /** Deposits, and opens where it must. */
  async deposit(pair: Pair, side: SideBook, amount: bigint): Promise<void> {
    this.touched.add(pair)
    const { life } = pair
    const { verdict } = await this.send(side.who, 'deposit', pair.token, side.who.address, life.other(side).who.address, amount, life.settleTimeout, life.epoch)
    if (verdict !== 'ok') return
    this.lives.add(life)
    life.phase = 'open'
    side.deposit += amount
  }

  async post(pair: Pair, method: 'close' | 'update', receiver: SideBook, proof: SignedProof | null): Promise<void> {
    const { life } = pair
    const payer = life.other(receiver)
    const { transferred, locksroot, nonce, signature } = proof ?? { transferred: 0n, locksroot: ZERO_HASH, nonce: 0n, signature: '0x' }
    const { verdict } = await this.send(receiver.who, method, pair.token, payer.who.address, transferred, locksroot, nonce, ZERO_HASH, signature)
    if (verdict !== 'ok') return
    if (method === 'close') {
      life.phase = 'closed'
      life.settleBlock = town.number + life.settleTimeout
    }
    if (proof !== null) payer.posted = { transferred, locksroot, nonce }
  }

  async delegate(pair: Pair, receiver: SideBook, proof: SignedProof, reward: bigint): Promise<void> {
    const payer = pair.life.other(receiver)
    const watcher = this.random.pick(PEOPLE)
    const named = this.random.below(2) === 0 ? null : watcher.address
    const signature = signer.delegation(pair.life, receiver, proof, named, reward)
    const { transferred, locksroot, nonce } = proof
    const { verdict } = await this.send(watcher, 'updateDelegate', [pair.token, payer.who.address, receiver.who.address, transferred, locksroot, nonce, ZERO_HASH, named ?? ZERO_ADDRESS, reward], proof.signature, signature)
    if (verdict !== 'ok') return
    payer.posted = { transferred, locksroot, nonce }
    receiver.promised += reward
  }

  async claim(pair: Pair, payer: SideBook, cumulative: bigint, signature: Uint8Array): Promise<void> {
    const payee = pair.life.other(payer)
    const { verdict } = await this.send(this.random.pick(PEOPLE), 'claim', [pair.token, payer.who.address, payee.who.address, cumulative, ZERO_HASH, 0, 0n], signature, ZERO_HASH, 0)
    if (verdict !== 'ok') return
    payee.received += cumulative - payer.claimed
    payer.claimed = cumulative
  }

  async unlock(pair: Pair, receiver: SideBook, lock: TestLock): Promise<void> {
    const payer = pair.life.other(receiver)
    const { verdict } = await this.send(receiver.who, 'unlock', pair.token, payer.who.address, payer.posted.transferred, lock.expiration, lock.amount, secretHashOf(lock.secret), [])
    if (verdict !== 'ok') return
    payer.posted = { ...payer.posted, transferred: payer.posted.transferred + lock.amount }
    receiver.hasUnlocked = true
    if (receiver.gaveUp === lockHashOf(lock)) receiver.isCheater = true
  }

  async punish(pair: Pair, payer: SideBook, lock: TestLock): Promise<void> {
    const cheater = pair.life.other(payer)
    const signature = signer.disposed(pair.life, cheater.gaveUp === lockHashOf(lock) ? cheater : payer, lockHashOf(lock))
    const { verdict } = await this.send(payer.who, 'punish', pair.token, cheater.who.address, lockHashOf(lock), ZERO_HASH, signature)
    if (verdict === 'ok') payer.posted = { transferred: 0n, locksroot: ZERO_HASH, nonce: 2n ** 64n - 1n }
  }

  async settle(pair: Pair): Promise<void> {
    const { life } = pair
    const [a, b] = life.sides
    const before = await Promise.all(PEOPLE.map((one) => town.word(pair.token, balanceSlot(one.address))))
    const { verdict, logs } = await this.send(this.random.pick(PEOPLE), 'settle', pair.token, a.who.address, a.posted.transferred, a.posted.locksroot, b.who.address, b.posted.transferred, b.posted.locksroot)
    if (verdict !== 'ok') return
    life.phase = 'none'
    const after = await Promise.all(PEOPLE.map((one) => town.word(pair.token, balanceSlot(one.address))))
    const rewards = new Map<string, bigint>()
    for (const log of logs.filter((one) => one.topics[0] === REWARDED)) {
      const [watcher, amount] = [`0x${Buffer.from(log.data.slice(12, 32)).toString('hex')}`, BigInt(`0x${Buffer.from(log.data.slice(32)).toString('hex')}`)]
      rewards.set(watcher, (rewards.get(watcher) ?? 0n) + amount)
    }
    for (const side of life.sides) {
      const index = PEOPLE.findIndex((one) => one === side.who)
      side.received += (after[index] ?? 0n) - (before[index] ?? 0n) - (rewards.get(side.who.address) ?? 0n)
    }
    pair.renew(this.random)
  }

  async cooperate(pair: Pair): Promise<void> {
    const { life } = pair
    const [a, b] = life.sides
    const share = (side: SideBook): bigint => side.deposit - side.withdrawn + life.other(side).transferred - life.other(side).claimed - side.transferred
    if (a.lock !== null || b.lock !== null || life.isConspiracy) return
    const isWrong = this.random.below(4) === 0
    const balances: readonly [bigint, bigint] = isWrong ? [share(a) + 1n, share(b)] : [share(a), share(b)]
    const until = town.number - (this.random.below(8) === 0 ? 1 : 0)
    const [s1, s2] = signer.settlement(life, balances, until)
    const { verdict } = await this.send(a.who, 'coopSettle', pair.token, a.who.address, balances[0], b.who.address, balances[1], until, s1, s2)
    if (verdict !== 'ok') return
    a.received += balances[0]
    b.received += balances[1]
    life.phase = 'none'
    pair.renew(this.random)
  }

  async withdraw(pair: Pair, side: SideBook): Promise<void> {
    const { life } = pair
    const spendable = life.spendable(side)
    const room = side.deposit - side.voucherTop - side.withdrawn
    const most = spendable < room ? spendable : room
    const isHonest = this.random.below(4) !== 0 && most > 0n
    const total = side.withdrawn + (isHonest ? 1n + BigInt(this.random.below(Number(most))) : BigInt(this.random.below(3000)))
    const partner = life.other(side).who
    const until = town.number + this.random.below(2)
    // A partner does not sign what would leave him short.
    const signers = isHonest ? [side.who, partner] : [side.who, side.who]
    const [s1, s2] = signer.withdrawal(life, side, total, until, signers)
    const { verdict } = await this.send(side.who, 'withdraw', pair.token, side.who.address, partner.address, total, until, s1, s2)
    if (verdict !== 'ok') return
    if (!isHonest) throw new Error('a withdrawal with one signature')
    side.received += total - side.withdrawn
    side.withdrawn = total
  }

  /** Two who work together against all others: they sign what no honest partner would. */
  async collude(pair: Pair, side: SideBook): Promise<void> {
    const { life } = pair
    if (life.phase === 'none') return this.settle(pair)
    life.isConspiracy = true
    // Somebody else's money that they could reach.
    const neighbour = this.pairs.find((one) => one !== pair && one.token === pair.token)
    if (neighbour !== undefined && neighbour.epoch === 0n) neighbour.renew(this.random)
    if (neighbour !== undefined) await this.deposit(neighbour, neighbour.life.sides[0], 2_000n)
    const other = life.other(side)
    // All that there is, or a little more or less: as one's own, however much of it the other one paid in.
    const most = Number(side.deposit + other.deposit) + 3
    const total = BigInt(most - this.random.below(Math.min(most, 40)))
    const [s1, s2] = signer.withdrawal(life, side, total, town.number, [side.who, other.who])
    const { verdict } = await this.send(side.who, 'withdraw', pair.token, side.who.address, other.who.address, total, town.number, s1, s2)
    if (verdict === 'ok') side.withdrawn = total
    const { cumulative, signature } = signer.voucher(life, other, other.deposit - BigInt(this.random.below(Number(other.deposit) + 1)))
    return this.claim(pair, other, cumulative, signature)
  }

  give(pair: Pair, side: SideBook): void {
    const { life, random } = { life: pair.life, random: this.random }
    const spendable = life.spendable(side)
    if (spendable <= 0n || life.phase !== 'open') return
    const amount = 1n + BigInt(random.below(Number(spendable)))
    const kind = random.below(4)
    if (kind < 2 && side.lock === null) {
      const lock = { expiration: BigInt(town.number + 2 + random.below(8)), amount, secret: secretOf(this.#secrets++) }
      signer.give(life, side, 0n, lock)
    } else if (kind === 2 && life.mayGiveVoucher(side, amount)) signer.giveVoucher(life, side, amount)
    else signer.give(life, side, amount, null)
  }

  /** What honest people do before the time for it is over. */
  async defend(pair: Pair): Promise<void> {
    const { life } = pair
    for (const side of life.sides) {
      const payer = life.other(side)
      const newest = payer.proofs.at(-1)
      if (newest !== undefined && newest.nonce > payer.posted.nonce) await this.post(pair, 'update', side, newest)
      const voucher = payer.vouchers.at(-1)
      if (voucher !== undefined && voucher.cumulative > payer.posted.transferred && voucher.cumulative > payer.claimed) await this.claim(pair, payer, voucher.cumulative, voucher.signature)
    }
    for (const side of life.sides) {
      const lock = side.lock
      const cheater = life.other(side)
      if (lock !== null && cheater.isCheater) await this.punish(pair, side, lock)
    }
  }

  async pass(blocks: number): Promise<void> {
    for (const pair of this.touched) {
      const { phase, settleBlock, sides } = pair.life
      if (phase !== 'closed' || town.number > settleBlock || town.number + blocks <= settleBlock) continue
      await this.defend(pair)
      // The last word of somebody who kept an old delegation.
      const receiver = this.random.pick(sides)
      const old = pair.life.other(receiver).proofs[0]
      if (old !== undefined && this.random.below(2) === 0) await this.delegate(pair, receiver, old, 0n)
    }
    town.number += blocks
  }

  async step(): Promise<void> {
    const { random } = this
    const pair = this.touched.size > 0 && random.below(5) > 0 ? random.pick([...this.touched]) : random.pick(this.pairs)
    if (pair.epoch === 0n) pair.renew(random)
    const { life } = pair
    const side = random.pick(life.sides)
    const other = life.other(side)
    for (let count = random.below(3); count > 0; count--) this.give(pair, random.pick(life.sides))
    if (random.below(3) === 0) await this.pass(1 + random.below(4))
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
        return this.deposit(pair, side, 1n + BigInt(random.below(1000)))
      case 3:
        return this.withdraw(pair, side)
      case 4:
        return this.post(pair, 'close', side, random.pick([null, ...other.proofs]))
      case 5:
        return this.post(pair, 'update', side, random.pick([other.proofs.at(-1) ?? null, ...other.proofs, signer.proof(life, side, 2n ** 64n - 1n, 0n, null)]))
      case 6: {
        // He promises more than he has, or nothing: then also for a proof that was the newest once.
        const newest = other.proofs.at(-1)
        if (newest === undefined) return this.post(pair, 'update', side, null)
        if (life.phase === 'open') await this.post(pair, 'close', random.pick(life.sides), null)
        if (random.below(2) === 0) return this.delegate(pair, side, newest, BigInt(random.below(1_000)))
        if (life.phase === 'closed') await this.defend(pair)
        return this.delegate(pair, side, random.pick(other.proofs), 0n)
      }
      case 7: {
        const [payer, voucher] = random.pick([[other, random.pick([other.vouchers.at(-1), ...other.vouchers])], [side, signer.voucher(life, other, 7n)]] as const)
        return voucher === undefined ? this.claim(pair, other, 5n, new Uint8Array(65)) : this.claim(pair, payer, voucher.cumulative, voucher.signature)
      }
      case 8: {
        const lock = other.lock
        if (lock === null) return this.collude(pair, side)
        if (random.below(2) === 0 && !side.hasUnlocked) side.gaveUp = lockHashOf(lock)
        await town.call(side.who.address, town.registry, 'registerSecret', lock.secret)
        if (life.phase === 'open') await this.post(pair, 'close', random.pick(life.sides), null)
        if (life.phase === 'closed') await this.post(pair, 'update', side, other.proofs.at(-1) ?? null)
        return this.unlock(pair, side, lock)
      }
      case 9:
        return side.lock === null ? this.settle(pair) : this.punish(pair, side, side.lock)
      case 10:
        return this.cooperate(pair)
      default:
        return this.settle(pair)
    }
  }

  /** Everybody goes home. */
  async end(): Promise<void> {
    for (const pair of this.touched) {
      if (pair.life.phase !== 'open') continue
      const closer = this.random.pick(pair.life.sides)
      await this.post(pair, 'close', closer, pair.life.other(closer).proofs.at(-1) ?? null)
    }
    await this.pass(11)
    town.number += 300
    for (const pair of this.touched) if (pair.life.phase === 'closed') await this.settle(pair)
  }

  async judge(): Promise<void> {
    for (const token of tokens) {
      expect(await town.word(token, CONTRACT_SLOT)).toBe(0n)
      let sum = 0n
      for (const one of PEOPLE) sum += await town.word(token, balanceSlot(one.address))
      expect(sum).toBe(START * 3n)
    }
    for (const life of [...this.lives].filter((one) => !one.isConspiracy))
      for (const side of life.sides) {
        if (side.isCheater) continue
        const due = life.guaranteed(side) + side.withdrawn
        if (side.received < due) throw new Error(`${side.who.address} got ${side.received} of ${due} in epoch ${life.epoch}`)
      }
  }
}

const REWARDED = `0x${Buffer.from(keccak(new TextEncoder().encode('Rewarded(bytes32,address,uint256)'))).toString('hex')}`

it(`${SEQUENCES} random sequences leave nothing in the contract and nobody short`, { timeout: 300_000 + SEQUENCES * 1_000 }, async () => {
  const started = performance.now()
  town.number++ // what they begin with is in the block before
  for (let number = FIRST; number < FIRST + SEQUENCES; number++) {
    await town.mark()
    const start = town.number
    const sequence = new Sequence(randomStream(`${SEED}/${number}`))
    try {
      for (let steps = 4 + sequence.random.below(9); steps > 0; steps--) await sequence.step()
      await sequence.end()
      await sequence.judge()
    } catch (thrown) {
      throw new Error(`sequence ${number} of seed ${SEED}: ${String(thrown)}`, { cause: thrown })
    } finally {
      await town.back()
      town.number = start
    }
  }
  const seconds = (performance.now() - started) / 1000
  console.log(`${SEQUENCES} sequences in ${seconds.toFixed(1)} s, ${(SEQUENCES / seconds).toFixed(0)}/s; done and refused: ${[...counts].map(([method, [done, refused]]) => `${method} ${done}/${refused}`).join(', ')}`)
  // A run in which some call never succeeds, or is never refused, has shown nothing about it.
  if (SEQUENCES >= 200) for (const method of ['deposit', 'withdraw', 'close', 'update', 'updateDelegate', 'claim', 'unlock', 'punish', 'settle', 'coopSettle']) expect(counts.get(method)?.[0] ?? 0, method).toBeGreaterThan(0)
})
