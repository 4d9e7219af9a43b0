/** Orders of people without gas: once or never, for who they name, with the fee that was signed. */
import { beforeEach, describe, expect, it } from 'vitest'
import { ZERO_ADDRESS, hexOf } from '../../../src/base/index.ts'
import { orderGas } from '../../../src/photon/chain/index.ts'
import { openConsentDigest, openingOrderDigest, paymentOrderDigest } from '../../../src/photon/contracts/orders.ts'
import type { OpeningOrder, PaymentOrder } from '../../../src/photon/contracts/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { Channel, sign } from './channel.ts'
import { BOB, CAROL, CHAIN_ID, DAVE, OWNER, Town } from './town.ts'
import type { Outcome } from './town.ts'

const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)
/** DAVE has tokens in the purse and nothing else; OWNER is the box. */
let town: Town
let token: Address
const verdict = async (outcome: Promise<Outcome>): Promise<string> => (await outcome).verdict
const inPurse = (who: Person): Promise<bigint> => town.number256(town.purse, 'balanceOf', token, who.address)

beforeEach(async () => {
  town = await Town.build()
  token = await town.token('PlainToken', 1000n)
  expect(await verdict(town.call(OWNER.address, town.purse, 'fund', token, DAVE.address, 500n))).toBe('ok')
})

const place = (): { chainId: bigint; contract: Address } => ({ chainId: CHAIN_ID, contract: town.purse })

function pay(changes: Partial<PaymentOrder> = {}, { sender = OWNER, signer = DAVE, asked = {} }: { sender?: Person; signer?: Person; asked?: Partial<PaymentOrder> } = {}): Promise<Outcome> {
  const order: PaymentOrder = { token, from: DAVE.address, to: BOB.address, amount: 100n, inside: false, fee: 3n, sender: OWNER.address, number: 0n, validUntil: town.number + 10, ...changes }
  const sent = { ...order, ...asked }
  return town.call(sender.address, town.purse, 'pay', [sent.token, sent.from, sent.to, sent.amount, sent.inside, sent.fee, sent.sender, sent.number, sent.validUntil], sign(signer, paymentOrderDigest(keccak, place(), order)))
}

function open(changes: Partial<OpeningOrder> = {}, { sender = OWNER, consentBy = DAVE, consentAmount = 80n }: { sender?: Person; consentBy?: Person | null; consentAmount?: bigint } = {}): Promise<Outcome> {
  const o: OpeningOrder = { token, from: DAVE.address, partner: OWNER.address, amount: 80n, settleTimeout: 600, epoch: 1n, fee: 2n, sender: OWNER.address, number: 0n, validUntil: town.number + 10, ...changes }
  const { id } = new Channel(town, token, DAVE, OWNER)
  const consent = openConsentDigest(keccak, { chainId: CHAIN_ID, contract: town.photon }, { channel: id, epoch: o.epoch, participant: DAVE.address, amount: consentAmount, settleTimeout: o.settleTimeout, validUntil: o.validUntil })
  return town.call(sender.address, town.purse, 'openChannel', [o.token, o.from, o.partner, o.amount, o.settleTimeout, o.epoch, o.fee, o.sender, o.number, o.validUntil], sign(DAVE, openingOrderDigest(keccak, place(), o)), consentBy === null ? new Uint8Array(0) : sign(consentBy, consent))
}

describe('a payment', () => {
  it('goes out, or stays inside; the sender has the fee', async () => {
    expect(await verdict(pay())).toBe('ok')
    expect([await inPurse(DAVE), await inPurse(OWNER), await town.balance(token, BOB.address)]).toEqual([397n, 3n, 1100n])
    expect(await verdict(pay({ inside: true, number: 1n }))).toBe('ok')
    expect([await inPurse(DAVE), await inPurse(BOB), await inPurse(OWNER)]).toEqual([294n, 100n, 6n])
    expect(await verdict(town.call(OWNER.address, town.purse, 'withdraw', token, OWNER.address, 6n))).toBe('ok')
    expect(await town.balance(token, town.purse)).toBe(394n)
  })

  it('happens once, in order, in time', async () => {
    expect(await verdict(pay({ number: 1n }))).toBe('Bad(40)')
    expect(await verdict(pay())).toBe('ok')
    expect(await verdict(pay())).toBe('Bad(40)')
    expect(await verdict(pay({ number: 1n, validUntil: town.number - 1 }))).toBe('Bad(15)')
    expect(await verdict(town.call(DAVE.address, town.purse, 'cancel', 1n))).toBe('ok')
    expect(await verdict(pay({ number: 1n }))).toBe('Bad(40)')
    expect(await verdict(town.call(CAROL.address, town.purse, 'cancel', 2n))).toBe('Bad(40)')
  })

  it('is what its number was for, for ever: by that its sender finds it again; one that failed or was cancelled is not', async () => {
    const ofNumber = (number: bigint): Promise<bigint> => town.number256(town.purse, 'orderOf', DAVE.address, number)
    const digest = (number: bigint): bigint => BigInt(hexOf(paymentOrderDigest(keccak, place(), { token, from: DAVE.address, to: BOB.address, amount: 100n, inside: false, fee: 3n, sender: OWNER.address, number, validUntil: town.number + 10 })))
    expect(await verdict(pay({ amount: 498n }))).toBe('Bad(20)')
    expect(await ofNumber(0n)).toBe(0n)
    const first = digest(0n)
    const paid = await pay()
    expect([paid.verdict, await ofNumber(0n)]).toEqual(['ok', first])
    expect(await verdict(town.call(DAVE.address, town.purse, 'cancel', 1n))).toBe('ok')
    const opened = await open({ number: 2n })
    expect([opened.verdict, await ofNumber(0n), await ofNumber(1n)]).toEqual(['ok', first, 0n])
    expect(await ofNumber(2n)).not.toBe(0n)
    expect([paid.gasUsed < orderGas('pay'), opened.gasUsed < orderGas('open')], `${paid.gasUsed} and ${opened.gasUsed} gas`).toEqual([true, true])
  })

  it('cannot be sent by another for the fee, nor changed', async () => {
    expect(await verdict(pay({}, { sender: CAROL }))).toBe('Bad(41)')
    for (const asked of [{ sender: CAROL.address }, { sender: ZERO_ADDRESS }, { fee: 400n }, { to: CAROL.address }, { amount: 101n }, { inside: true }, { validUntil: 99_999 }, { from: BOB.address }])
      expect(await verdict(pay({}, { sender: CAROL, asked: { sender: CAROL.address, ...asked } })), JSON.stringify(asked, (_, value: unknown) => String(value))).not.toBe('ok')
    expect(await verdict(pay({}, { signer: CAROL }))).toBe('Bad(10)')
    expect(await inPurse(DAVE)).toBe(500n)
    expect(await verdict(pay({ sender: ZERO_ADDRESS }, { sender: CAROL }))).toBe('ok')
    expect(await inPurse(CAROL)).toBe(3n)
  })

  it('is no more than there is; one that fails keeps its number', async () => {
    expect(await verdict(pay({ amount: 498n }))).toBe('Bad(20)')
    expect(await verdict(pay({ amount: 2n ** 256n - 1n, fee: 1n }))).toBe('Bad(20)')
    expect(await verdict(pay({ to: ZERO_ADDRESS }))).toBe('Bad(5)')
    expect(await verdict(town.call(CAROL.address, town.purse, 'withdraw', token, CAROL.address, 1n))).toBe('Bad(20)')
    expect(await verdict(pay({ amount: 497n }))).toBe('ok')
    expect(await inPurse(DAVE)).toBe(0n)
  })

  it('with a token that takes a fee is refused at the door', async () => {
    const odd = await town.token('FeeToken', 1000n)
    expect(await verdict(town.call(OWNER.address, town.purse, 'fund', odd, DAVE.address, 500n))).toBe('Bad(8)')
    expect(await verdict(town.call(OWNER.address, town.purse, 'fund', CAROL.address, DAVE.address, 500n))).toBe('Bad(5)')
  })
})

describe('a channel opening', () => {
  it('is the signer’s, from his balance, and leaves no allowance', async () => {
    expect(await verdict(open())).toBe('ok')
    expect([await inPurse(DAVE), await inPurse(OWNER), await town.balance(token, town.photon), await town.number256(token, 'allowance', town.purse, town.photon)]).toEqual([418n, 2n, 80n, 0n])
    expect((await town.ask(town.photon, 'sideOf', token, DAVE.address, OWNER.address))[0]).toBe(80n)
    expect(await verdict(open())).toBe('Bad(40)')
  })

  it('puts more into the one that is open, and only on its own terms', async () => {
    expect(await verdict(open({}, { consentBy: null }))).not.toBe('ok')
    expect(await verdict(open())).toBe('ok')
    const more = { number: 1n, amount: 30n }
    for (const other of [{ epoch: 2n }, { settleTimeout: 700 }, { number: 0n }, { amount: 500n }, { partner: BOB.address }, { validUntil: town.number - 1 }]) expect(await verdict(open({ ...more, ...other }, { consentBy: null })), JSON.stringify(Object.keys(other))).not.toBe('ok')
    expect(await verdict(open(more, { sender: CAROL, consentBy: null }))).toBe('Bad(41)')
    expect(await verdict(open(more))).not.toBe('ok')
    expect(await verdict(open(more, { consentBy: null }))).toBe('ok')
    expect(await verdict(open(more, { consentBy: null }))).toBe('Bad(40)')
    expect([await inPurse(DAVE), await inPurse(OWNER), await town.balance(token, town.photon), await town.number256(token, 'allowance', town.purse, town.photon)]).toEqual([386n, 4n, 110n, 0n])
    expect((await town.ask(town.photon, 'sideOf', token, DAVE.address, OWNER.address))[0]).toBe(110n)
  })

  it('fails as a whole where the channel does not open', async () => {
    for (const changes of [{ settleTimeout: 5 }, { epoch: 2n }, { amount: 5000n }]) expect(await verdict(open(changes))).not.toBe('ok')
    for (const consent of [{ consentBy: OWNER }, { consentAmount: 81n }]) expect(await verdict(open({}, consent))).not.toBe('ok')
    expect([await inPurse(DAVE), await inPurse(OWNER), await town.number256(town.purse, 'nextNumber', DAVE.address)]).toEqual([500n, 0n, 0n])
    expect(await verdict(open({}, { sender: CAROL }))).toBe('Bad(41)')
  })

  it('then pays by vouchers and ends without the guest having sent anything', async () => {
    await open()
    const channel = new Channel(town, token, DAVE, OWNER)
    channel.settleTimeout = 600
    expect(await verdict(channel.claim(DAVE, { cumulative: 30n }))).toBe('ok')
    expect(await verdict(channel.call(OWNER, 'coopSettle', token, DAVE.address, 50n, OWNER.address, 0n, 9_999, ...[DAVE, OWNER].map((one) => channel.signed(one, 'CoopSettle', { p1: DAVE.address, b1: 50n, p2: OWNER.address, b2: 0n, validUntil: 9_999 }))))).toBe('ok')
    expect([await town.balance(token, DAVE.address), await town.balance(token, town.photon)]).toEqual([50n, 0n])
  })
})

it('holds what its balances say, whatever is ordered, and nobody pays what he has not signed', async () => {
  const random = randomStream('purse')
  const people = [BOB, CAROL, DAVE, OWNER]
  const numberOf = (who: Person): Promise<bigint> => town.number256(town.purse, 'nextNumber', who.address)
  const sum = async (): Promise<bigint> => {
    let total = 0n
    for (const one of people) total += await inPurse(one)
    return total
  }
  let accepted = 0
  // All of it happens in one block, which another EVM runs again for each call that it is asked about.
  const draws = Town.witness === null ? 250 : 15
  for (let draw = 0; draw < draws; draw++) {
    const [from, to, sender, signer] = [random.pick(people), random.pick(people), random.pick(people), random.pick(people)]
    const before = await Promise.all(people.map(inPurse))
    const amount = BigInt(random.below(120))
    const order: PaymentOrder = { token, from: from.address, to: to.address, amount, inside: random.below(2) === 0, fee: BigInt(random.below(9)), sender: random.pick([ZERO_ADDRESS, sender.address, to.address]), number: (await numberOf(from)) + BigInt(random.below(8) === 0 ? 1 : 0), validUntil: town.number - (random.below(8) === 0 ? 1 : 0) }
    const signed = random.below(4) === 0 ? signer : from
    const kind = random.below(6)
    const outcome = await (kind === 0 ? town.call(from.address, town.purse, 'withdraw', token, to.address, amount) : kind === 1 ? town.call(from.address, town.purse, 'fund', token, to.address, amount) : pay(order, { sender, signer: signed }))
    if (outcome.verdict === 'ok') accepted++
    const after = await Promise.all(people.map(inPurse))
    people.forEach((one, index) => {
      const isAllowed = outcome.verdict === 'ok' && one === from && (kind === 0 || (kind > 1 && signed === from))
      if ((after[index] ?? 0n) < (before[index] ?? 0n) && !isAllowed) throw new Error(`draw ${draw}: ${one.address} paid without having signed`)
    })
    expect(await town.balance(token, town.purse)).toBe(await sum())
  }
  expect(accepted).toBeGreaterThan(draws / 4)
})
