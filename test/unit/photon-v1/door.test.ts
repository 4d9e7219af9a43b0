/**
 * The real door, with the packets that the original's own code has printed (photon.md 10.2), sent as raw datagrams by a bare
 * socket; and what must not get in: nonsense, floods, others' names, copies, and the attacks F1, F6, F7 and F8.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ZERO_HASH, fromHex, hexOf, utf8 } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import type { Domain, Message } from '../../../src/photon/index.ts'
import { openPacketSocket } from '../../../src/photon/v1/io/udp-socket.ts'
import { echoHash, lockHash } from '../../../src/photon/wire/index.ts'
import golden from '../../vectors/photon/v1-packets.json' with { type: 'json' }
import { native } from '../spectrum/curves.ts'
import { House, LOOPBACK } from './house.ts'
import { OldNode, accountOf, keccak } from './old-node.ts'

const DOMAIN: Domain = { profile: 'v1', chainId: 8888n, contract: '0xf5deccfb4935ef57b500807a5214120addc86f74' }
const KEY1 = fromHex('4359f525e2b373089be5fe8f9a4e8ffb6d30e2960918be426217921e1b2547f7')
const KEY2 = fromHex('02'.padStart(64, '0'))
const CHANNEL = hexOf(keccak(utf8('123')))
const EPOCH = 3n
const packets = golden.packets as Readonly<Record<string, string>>
const goldenPacket = (name: string): Uint8Array => fromHex(packets[name] ?? '')
const isAck = (message: Message): boolean => message.kind === 'ack'
/** As the original builds it: command 0, version 0, the receiver's address, the hash of packet and address. */
const ackBytes = (packet: Uint8Array, receiver: `0x${string}`): string => `00000000${receiver.slice(2)}${echoHash(keccak, packet, receiver).slice(2)}`

let house: House
let old: OldNode
const others: OldNode[] = []
beforeEach(async () => {
  house = await House.with({ key: KEY2, domain: DOMAIN })
  old = await OldNode.at(LOOPBACK, KEY1, DOMAIN)
})
afterEach(async () => {
  for (const one of [old, ...others.splice(0)]) await one.close()
  await house.close()
})

/** What was sent before this is dealt with: one socket's datagrams come in order, and this one is answered. */
async function dealtWith(): Promise<void> {
  const ping = old.packet({ kind: 'ping', nonce: BigInt(Math.round(performance.now() * 1000)) })
  house.places.own([{ account: old.account, endpoint: `${old.place.host}:${old.place.port}`, deviceType: 'other' }])
  house.door.look()
  await old.send(ping, house.place)
  await old.next((message) => message.kind === 'ack' && message.echo === echoHash(keccak, ping, house.account))
}

async function paid(nonces: number): Promise<void> {
  for (let nonce = 1; nonce <= nonces; nonce++) {
    const packet = old.direct(CHANNEL, EPOCH, BigInt(nonce), BigInt(nonce))
    await old.send(packet, house.place)
    expect(hexOf((await old.next(isAck)).bytes).slice(2)).toBe(ackBytes(packet, house.account))
  }
}

describe('the original’s own packets', () => {
  it('takes a direct transfer and answers with the original’s acknowledgement, byte for byte, each time it comes', async () => {
    await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
    await paid(10)
    const packet = goldenPacket('DirectTransfer')
    for (let copy = 0; copy < 3; copy++) {
      await old.send(packet, house.place)
      expect(hexOf((await old.next(isAck)).bytes).slice(2)).toBe(ackBytes(packet, house.account))
    }
    expect(house.node.channel(CHANNEL)?.partner).toMatchObject({ nonce: 11n, transferred: 12n })
    expect(house.node.payments().filter(({ kind }) => kind === 'direct-received')).toHaveLength(11)
  })

  it('takes an unlock', async () => {
    await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
    await paid(9)
    const secretHash = '0x02d449a31fbb267c8f352e9968a79e3e5fc95c1bbeaa502fd6454ebde5a4bedc' as const
    const direct = old.direct(CHANNEL, EPOCH, 10n, 10n)
    await old.send(direct, house.place)
    await old.next(isAck)
    // The lock's packet has nonce 10 in the golden run: this one is another life, so it is made here and the unlock signed anew.
    const lock = { expiration: 4_589_895, amount: 2n, secretHash }
    const locked = old.packet({ kind: 'locked', envelope: { channel: CHANNEL, epoch: EPOCH, nonce: 11n, transferred: 10n, locksroot: lockHash(keccak, lock) }, lock, amount: 2n, fee: 0n, initiator: old.account, target: house.account, path: [{ node: house.account, amount: null }], paymentId: null })
    await old.send(locked, house.place)
    const request = await old.next((message) => message.kind === 'secret-request')
    expect(request.message).toMatchObject({ secretHash, amount: 2n })
    await old.send(old.ack(request.bytes), house.place)
    const secret = hexOf(new Uint8Array(32).fill(0x11))
    await old.send(old.packet({ kind: 'reveal', secret, data: new Uint8Array(0) }), house.place)
    expect((await old.next((message) => message.kind === 'reveal')).message).toMatchObject({ secret })
    const unlock = old.packet({ kind: 'unlock', envelope: { channel: CHANNEL, epoch: EPOCH, nonce: 12n, transferred: 12n, locksroot: ZERO_HASH }, secret })
    await old.send(unlock, house.place)
    await old.next((message) => message.kind === 'ack' && message.echo === echoHash(keccak, unlock, house.account))
    expect(house.node.channel(CHANNEL)?.partner).toMatchObject({ nonce: 12n, transferred: 12n, locks: [] })
  })

  it('acknowledges a partner’s SecretRequest and RevealSecret of payments long gone, and stores nothing', async () => {
    await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
    for (const name of ['SecretRequest', 'RevealSecret']) {
      const packet = goldenPacket(name)
      await old.send(packet, house.place)
      expect(hexOf((await old.next(isAck)).bytes).slice(2)).toBe(ackBytes(packet, house.account))
    }
    expect(house.node.openPayments()).toEqual([])
  })

  it('answers a ping of a node that it knows, and no stranger’s', async () => {
    const stranger = await OldNode.at(LOOPBACK, new Uint8Array(32).fill(9), DOMAIN)
    others.push(stranger)
    await stranger.send(stranger.packet({ kind: 'ping', nonce: 1n }), house.place)
    await dealtWith()
    expect(stranger.heard).toEqual([])
  })

  it('does not take packets that do not follow: they stay without an answer', async () => {
    await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
    for (const name of ['DirectTransfer', 'MediatedTransfer', 'Unlock', 'Ack']) await old.send(goldenPacket(name), house.place)
    await dealtWith()
    expect(old.heard).toEqual([])
    expect(house.node.channel(CHANNEL)?.partner.nonce).toBe(0n)
    expect(house.alarms).toEqual([])
  })
})

describe('F1 and F6: signatures that never end', () => {
  it.each([
    ['WithdrawRequest', 5000],
    ['SettleRequest', 5001],
  ] as const)('%s of a partner that nobody trusts is answered with %i, and the answer signs nothing that was asked', async (name, code) => {
    await house.channel(CHANNEL, EPOCH, old.account, 10n, 30n)
    await old.send(goldenPacket(name), house.place)
    const { message } = await old.next(({ kind }) => kind === 'settle-response' || kind === 'withdraw-response')
    expect(message).toMatchObject({ code })
    if (message.kind !== 'settle-response' && message.kind !== 'withdraw-response') return
    // The asked terms, as the contract would check them under our signature.
    const asked = old.wire.decode(goldenPacket(name))
    if ('refused' in asked) throw new Error(asked.refused)
    const digest = asked.message.kind === 'settle-request' ? old.digests.cooperativeSettle(asked.message.key, asked.message.terms) : asked.message.kind === 'withdraw-request' ? old.digests.withdraw(asked.message.key, asked.message.terms) : new Uint8Array(32)
    const signer = native.recoverAddress(digest, message.contractSignature, 'accept')
    expect(signer === null ? null : hexOf(signer)).not.toBe(house.account)
    expect(house.node.channel(CHANNEL)?.phase).toBe('opened')
  })

  it('a trusted partner’s settlement is signed, and from then on nothing moves', async () => {
    const trusting = await House.with({ key: KEY2, domain: DOMAIN, trusted: [old.account] })
    try {
      await trusting.channel(CHANNEL, EPOCH, old.account, 30n, 10n)
      const terms = { p1: old.account, balance1: 10n, p2: trusting.account, balance2: 30n, validUntil: null }
      const key = { channel: CHANNEL, epoch: EPOCH }
      const contractSignature = native.sign(old.digests.cooperativeSettle(key, terms), old.key)
      await old.send(old.packet({ kind: 'settle-request', key, terms, contractSignature }), trusting.place)
      const { message } = await old.next(({ kind }) => kind === 'settle-response')
      if (message.kind !== 'settle-response') return
      expect(message.code).toBe(0)
      const signer = native.recoverAddress(old.digests.cooperativeSettle(key, terms), message.contractSignature)
      expect(signer === null ? null : hexOf(signer)).toBe(trusting.account)
      await expect(trusting.node.payDirect({ channel: CHANNEL, amount: 1n })).rejects.toMatchObject({ code: 'photon-refused' })
    } finally {
      await trusting.close()
    }
  })

  it('a request of another life of the channel is not answered', async () => {
    await house.channel(CHANNEL, EPOCH + 1n, old.account, 10n, 30n)
    await old.send(goldenPacket('WithdrawRequest'), house.place)
    await old.send(goldenPacket('SettleRequest'), house.place)
    await dealtWith()
    expect(old.heard).toEqual([])
  })
})

describe('what does not get in', () => {
  it('a packet in the name of a partner that somebody else has signed, wherever it comes from', async () => {
    await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
    const liar = await OldNode.at('127.0.0.2', new Uint8Array(32).fill(5), DOMAIN)
    others.push(liar)
    for (let i = 0; i < 80; i++) await liar.send(liar.direct(CHANNEL, EPOCH, 1n, 1n), house.place)
    await paid(1)
    expect(house.node.channel(CHANNEL)?.partner.nonce).toBe(1n)
    expect(house.node.counts.refusedFrames).toBe(0)
    expect(liar.heard).toEqual([])
  })

  it('our own packet, sent back to us', async () => {
    await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
    const twin = await OldNode.at(LOOPBACK, KEY2, DOMAIN)
    others.push(twin)
    await twin.send(twin.direct(CHANNEL, EPOCH, 1n, 1n), house.place)
    await dealtWith()
    expect(house.node.channel(CHANNEL)?.own.nonce).toBe(0n)
    expect(twin.heard).toEqual([])
  })

  it('F7: lengths that promise what is not there, nothing, too much, and noise', async () => {
    await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
    const bomb = Uint8Array.from(goldenPacket('MediatedTransfer').subarray(0, 152))
    new DataView(bomb.buffer).setInt32(148, 20_000_000)
    await old.send(bomb, house.place)
    await old.send(new Uint8Array(0), house.place)
    await old.send(new Uint8Array(1_201).fill(9), house.place)
    await old.send(new Uint8Array(60_000).fill(9), house.place)
    let state = 1
    for (let i = 0; i < 100; i++) {
      const noise = Uint8Array.from({ length: 1 + (i * 37) % 400 }, () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 16)
      noise[0] = [0, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27][i % 14] ?? 0
      await old.send(noise, house.place)
    }
    await dealtWith()
    expect(old.heard).toEqual([])
    expect(house.door.counts.taken).toBe(1)
  })

  it('a sender at port 0, where no answer can be sent', async () => {
    const socket = await openPacketSocket(LOOPBACK, 0, () => undefined)
    expect(() => socket.send(Uint8Array.of(1), { host: LOOPBACK, port: 0 })).not.toThrow()
    await socket.close()
  })

  it('anything from outside the network it is for', async () => {
    const shut = await House.with({ key: KEY2, domain: DOMAIN, isNear: () => false })
    try {
      await shut.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
      const packet = old.direct(CHANNEL, EPOCH, 1n, 1n)
      await old.send(packet, shut.place)
      await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
      await paid(1) // sent later, to the next door, and answered
      await new Promise((resolve) => setImmediate(resolve))
      expect(shut.door.counts).toEqual({ taken: 0, dropped: 1 })
    } finally {
      await shut.close()
    }
  })

  it('F8: an acknowledgement that names nothing of ours, or comes in another’s name', async () => {
    await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
    await dealtWith()
    await house.node.payDirect({ channel: CHANNEL, amount: 5n })
    const sent = await old.next(({ kind }) => kind === 'direct')
    const liar = await OldNode.at(LOOPBACK, new Uint8Array(32).fill(5), DOMAIN)
    others.push(liar)
    await liar.send(liar.ack(sent.bytes), house.place)
    await old.send(goldenPacket('Ack'), house.place)
    await dealtWith()
    expect(house.node.inFlight(CHANNEL)).toBe(1)
    await old.send(old.ack(sent.bytes), house.place)
    await dealtWith()
    expect(house.node.inFlight(CHANNEL)).toBe(0)
  })
})

it('sends again the same bytes, one packet at a time, and the one before too when an acknowledgement may have been forged', async () => {
  await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
  await dealtWith()
  for (let i = 0; i < 2; i++) await house.node.payDirect({ channel: CHANNEL, amount: 5n })
  const first = await old.next(({ kind }) => kind === 'direct')
  // The forger has seen it and says that it has arrived; the partner never had it and takes nothing that follows.
  await old.send(old.ack(first.bytes), house.place)
  const seen: Hash[] = []
  for (let i = 0; i < 4; i++) seen.push(hexOf((await old.next(({ kind }) => kind === 'direct')).bytes) as Hash)
  const second = seen[0]
  expect(second).not.toBe(hexOf(first.bytes))
  expect(seen.slice(0, 2)).toEqual([second, second])
  expect(new Set(seen.slice(2))).toEqual(new Set([second, hexOf(first.bytes)]))
}, 20_000)

it('a copy of a packet that somebody sends from elsewhere moves the partner nowhere, and the next packet of the partner sets it right', async () => {
  await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
  const copier = await OldNode.at('127.0.0.3', new Uint8Array(32).fill(6), DOMAIN)
  others.push(copier)
  const first = old.direct(CHANNEL, EPOCH, 1n, 1n)
  await old.send(first, house.place)
  await old.next(isAck)
  const place = (): string | undefined => house.places.of(old.account, performance.now())?.host
  expect(place()).toBe(LOOPBACK)
  await copier.send(first, house.place)
  // It is acknowledged, as any copy, to where it came from; what goes out goes to the partner.
  expect(hexOf((await copier.next(isAck)).bytes).slice(2)).toBe(ackBytes(first, house.account))
  expect(place()).toBe(LOOPBACK)
  await house.node.payDirect({ channel: CHANNEL, amount: 5n })
  await old.next(({ kind }) => kind === 'direct')
  expect(copier.heard).toEqual([])
})

it('has nobody’s account by heart: who is named on the LAN and has no channel cannot crowd out who has one', async () => {
  await house.channel(CHANNEL, EPOCH, old.account, 50n, 100n)
  for (let i = 0; i < 300; i++) house.places.announced(accountOf(new Uint8Array(32).fill(1).fill(i % 250, 0, 8).fill(1 + Math.floor(i / 250), 8, 9)), { host: LOOPBACK, port: 1000 + i }, 1e12)
  house.door.look()
  expect(house.door.connected).toHaveLength(4)
  await paid(1)
  expect(house.door.connected).toContain(old.account)
})
