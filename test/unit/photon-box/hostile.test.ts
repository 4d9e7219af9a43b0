/** A neighbour that means harm, over the real door (libp2p): it costs this box what the bounds say, and honest boxes go on paying. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { concatBytes, hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import { createPeerBinding } from '../../../src/photon/node/index.ts'
import { Libp2pTransport } from '../../../src/photon/node/io/libp2p-transport.ts'
import type { PeerDoorTerms } from '../../../src/photon/index.ts'
import { channelIdOf } from '../../../src/photon/route/index.ts'
import { announceDigest, encodeAnnounce } from '../../../src/photon/route/announce.ts'
import { createDigests, createWire } from '../../../src/photon/wire/index.ts'
import type { Domain } from '../../../src/photon/ports.ts'
import { seededRandom } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { Street } from './street.ts'
import type { Box } from './street.ts'

const [ALICE, BOB, MAKER] = [person(790), person(791), person(792)]
const folder = mkdtempSync(join(tmpdir(), 'photon-hostile-'))
const cleanUps: (() => unknown)[] = []
afterAll(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
  rmSync(folder, { recursive: true })
})
const NONE = new Uint8Array(0)
const PIECE = 1198
const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)

/** The door of the service, on a port of its own. */
function realDoor(seed: number): (terms: PeerDoorTerms) => Libp2pTransport {
  return (terms) => {
    const door = new Libp2pTransport({ ...terms, seed: new Uint8Array(32).fill(seed), listen: ['/ip4/127.0.0.1/tcp/0'], clock: new SystemClock('always'), timers: systemTimers, log: silentLog })
    cleanUps.push(() => door.close())
    return door
  }
}

async function enemy(number: number, domain: Domain): Promise<{ readonly who: Person; readonly door: Libp2pTransport }> {
  const who = person(number)
  const signer = { account: who.address, sign: (digests: Uint8Array) => native.signBatch(digests, who.key), signInPool: (digests: Uint8Array) => native.signBatchInPool(digests, who.key) }
  const binding = createPeerBinding({ digests: createDigests(domain, keccak), signer, secp256k1: native, issuedSeconds: () => 1_800_000_000 })
  const door = realDoor(number % 256)({ account: who.address, binding, maxPeers: 8, keeps: () => false })
  await door.start()
  return { who, door }
}

it('floods, half-open connections, pieces without end, lying announcements and claims', { timeout: 60_000 }, async () => {
  const street = await Street.build(folder, [ALICE, BOB], MAKER)
  const { token } = street
  const domain: Domain = { profile: 'v2', chainId: street.chain.chainId, contract: street.photon }
  const bob = await street.box(BOB, { maxPeers: 6 }, { openDoor: realDoor(2) })
  const turns = async (isSo: () => boolean): Promise<void> => {
    for (let round = 0; !isSo(); round++) {
      if (round === 400) throw new Error('it has not come true')
      await street.pass()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  await street.until(() => bob.desk.status().state === 'ready')
  await turns(() => bob.desk.status().listening.length > 0)
  const [address = ''] = bob.desk.status().listening
  const alice = await street.box(ALICE, { peers: [{ account: BOB.address, address }] }, { openDoor: realDoor(1) })
  await street.until(() => alice.desk.status().state === 'ready')
  const { channel } = await alice.desk.open({ partner: BOB.address, token, amount: 500n, settleTimeout: null, role: 'leaf' })
  await street.until(() => alice.desk.channel(channel) !== null && bob.desk.channel(channel) !== null)
  await turns(() => alice.desk.channel(channel)?.isConnected === true && bob.desk.channel(channel)?.isConnected === true)

  const random = seededRandom(9)
  const [mallory, trudy] = [await enemy(850, domain), await enemy(851, domain)]
  let thrownOut = 0
  for (const { door } of [mallory, trudy]) door.onDisconnected(() => thrownOut++)
  const port = Number(/tcp\/(\d+)/.exec(address)?.[1])
  const sockets: Socket[] = Array.from({ length: 40 }, () => createConnection({ port, host: '127.0.0.1' }).on('error', () => undefined))
  cleanUps.push(() => sockets.forEach((socket) => socket.destroy()))
  for (const [at, socket] of sockets.entries()) if (at % 2 === 0) socket.write(random.bytes(300)) // the others say nothing at all

  const back = async ({ door }: typeof mallory): Promise<void> => {
    if (!door.isConnected(BOB.address)) await door.dial(address).catch(() => undefined)
    await turns(() => true)
  }
  const sign = (who: Person, digest: Uint8Array): Uint8Array => native.signBatch(digest, who.key)
  /** Well signed by both ends, and nowhere on the chain. */
  const lie = (number: number): Uint8Array => {
    const [a, b] = [mallory.who, trudy.who].sort((one, other) => (one.address < other.address ? -1 : 1)) as [Person, Person]
    const token: Address = hexOf(random.bytes(20))
    const announce = { channel: channelIdOf(street.photon, token, a.address, b.address), epoch: BigInt(number), token, a: a.address, b: b.address, isCore: true, sequence: 1n, untilBlock: 1000 }
    const digest = announceDigest(domain, announce)
    return encodeAnnounce({ ...announce, signatureA: sign(a, digest), signatureB: sign(b, digest) })
  }
  const wire = createWire(domain, keccak)
  const claim = (): Uint8Array => {
    const prepared = wire.prepare({ kind: 'reestablish', key: { channel: channelIdOf(street.photon, token, mallory.who.address, BOB.address), epoch: 1n }, sentNonce: 1n, sentHash: hexOf(random.bytes(32)), seenNonce: 0n, seenHash: hexOf(random.bytes(32)) })
    return prepared.seal(sign(mallory.who, prepared.digest))
  }
  const attacks: readonly (() => Uint8Array)[] = [
    () => concatBytes(Uint8Array.of(0xf0, 0), lie(Math.floor(random.next() * 1e6))),
    () => concatBytes(Uint8Array.of(0xf0, 0), random.bytes(200)),
    () => concatBytes(Uint8Array.of(0xf1, 0, 0x44)),
    () => concatBytes(Uint8Array.of(0xf1, 1), random.bytes(PIECE)),
    () => Uint8Array.of(0xf1, 1, 7),
    () => concatBytes(Uint8Array.of(0xf1, 0, 0x40, 1), random.bytes(371)),
    () => claim(),
    () => random.bytes(1 + Math.floor(random.next() * 1100)),
  ]
  for (let wave = 0; wave < 4; wave++)
    for (const [at, attack] of attacks.entries()) {
      await back(mallory)
      await back(trudy)
      for (let sent = 0; sent < 120; sent++) (at % 2 === 0 ? mallory : trudy).door.send(BOB.address, attack())
      // In the midst of it honest money goes through.
      const before = bob.desk.channel(channel)?.own.spendable ?? 0n
      await alice.desk.pay({ target: BOB.address, token, amount: 1n, isDirect: true, maxFee: 0n, data: NONE, secretHash: null })
      await turns(() => bob.desk.channel(channel)?.own.spendable === before + 1n)
    }

  expect(bob.desk.channel(channel)).toMatchObject({ phase: 'opened', alarm: null, isConnected: true })
  expect(bob.desk.channels()).toHaveLength(1)
  expect(bob.desk.status().alarms).toEqual([])
  expect(thrownOut).toBeGreaterThan(4)
  expect(bob.desk.status().peers).toBeLessThanOrEqual(6)
  expect(bob.desk.paths(ALICE.address, token, 1n).every(({ nodes }) => !nodes.includes(mallory.who.address))).toBe(true)
  const rows = (box: Box, table: string): number => box.store.read((tx) => Number(tx.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n ?? 0))
  expect([rows(bob, 'photon_watch_job'), rows(bob, 'photon_channel')]).toEqual([0, 1])
  expect(rows(bob, 'photon_kept_backup')).toBeLessThanOrEqual(1) // Alice's own
  await Promise.all([alice.stop(), bob.stop()])
})
