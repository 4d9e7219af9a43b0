/**
 * What 1,000 guests who pay by the second cost the box: CPU of one core, with real signatures (one a minute for each
 * guest, recovered natively where the addon is there), Node's SHA-256, the journal on tmpfs each second and on flash
 * once a minute, and frames through the decoder. No network: the frames are made before. photon.md 9.4, issue 5: ≤ 15 %.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { hexOf, silentLog } from '../../src/base/index.ts'
import type { Address, Cancel, Clock, Hash, Timers } from '../../src/base/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import type { Secp256k1 } from '../../src/native/index.ts'
import { FlashJournal, PayeeDesk, nodeSha256 } from '../../src/photon/stream/index.ts'
import { streamMigrations } from '../../src/photon/stream/io/journal.ts'
import { decodeFrames, encodeFrame } from '../../src/photon/stream/frames.ts'
import { channelIdOf, openDigest, voucherDigest } from '../../src/photon/stream/digests.ts'
import type { StreamAccount } from '../../src/photon/ports.ts'
import type { StreamDeskDeps, StreamTerms } from '../../src/photon/stream/index.ts'
import { openStore } from '../../src/store/index.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'

const GUESTS = 1000
const MINUTES = 3
const STEPS = 60
const AIM_PERCENT = 15

export const photonStream: Bench = { name: 'photon-stream', run }

interface Guest {
  readonly key: Uint8Array
  readonly address: Address
  readonly account: StreamAccount
  session: number
  words: Uint8Array[]
}

async function run(place: BenchPlace): Promise<BenchRow[]> {
  await buildNative('host', place.say)
  const native = await measured(place, loadSecp256k1(addonPath('host', 'secp256k1')))
  const noble = await measured(place, loadSecp256k1(null))
  const share = summary(native.percents)
  return [
    { name: `streams: ${GUESTS} guests, one tick a second`, unit: '% of a core', ours: share, peer: { name: 'noble', value: summary(noble.percents) }, aim: { text: `≤ ${AIM_PERCENT} %`, met: share.p50 <= AIM_PERCENT } },
    { name: 'streams: CPU of a tick, everything in it', unit: 'µs', ours: summary(native.perTickUs), peer: { name: 'noble', value: summary(noble.perTickUs) }, aim: { text: '', met: null } },
  ]
}

async function measured(place: BenchPlace, curve: Secp256k1): Promise<Measured> {
  const dir = mkdtempSync(join(place.dir, 'photon-stream-'))
  const fast = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : place.dir, 'meshbox-bench-stream-'))
  const store = openStore({ path: join(dir, 'box.sqlite'), migrations: streamMigrations, log: silentLog })
  try {
    return await measure(store, join(fast, 'streams'), curve)
  } finally {
    await store.close()
    rmSync(fast, { recursive: true, force: true })
    rmSync(dir, { recursive: true, force: true })
  }
}

interface Measured {
  readonly percents: number[]
  readonly perTickUs: number[]
}

async function measure(store: ReturnType<typeof openStore>, fastPath: string, curve: Secp256k1): Promise<Measured> {
  const time = new SteppedTime()
  const used = new Map<string, number>()
  const boxKey = new Uint8Array(32).fill(0x42)
  const terms: StreamTerms = { chainId: 2022n, contract: `0x${'c0'.repeat(20)}`, token: `0x${'70'.repeat(20)}`, unit: 1000n, tickSeconds: 1, steps: STEPS, graceTicks: 15, minDeposit: 1n, settleTimeout: 600, validUntilSeconds: 2_000_000_000 }
  const addressOf = (key: Uint8Array): Address => hexOf(curve.keccak256(curve.publicKeyOf(key).subarray(1)).subarray(12))
  const payee = addressOf(boxKey)
  const guests = Array.from({ length: GUESTS }, (_, index) => guestOf(index, payee, terms, addressOf))
  const accounts = new Map(guests.map(({ address, account }) => [address, account]))
  const deps: StreamDeskDeps = {
    sha256: nodeSha256,
    recover: (digest, signature) => {
      const signer = curve.recoverAddress(digest, signature)
      return signer === null ? null : hexOf(signer)
    },
    sign: (digest) => curve.sign(digest, boxKey),
    clock: time,
    timers: time,
    randomness: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    log: silentLog,
    terms: () => terms,
    account: (payer) => accounts.get(payer) ?? null,
    wrongSignatures: { burst: 2 * GUESTS, perSecond: 40 },
    paid: () => null,
    claimFacts: () => ({ claimed: 0n, isClosing: false }),
    service: {
      allow: ({ stream }, ticks) => void used.set(stream, ticks - terms.graceTicks),
      used: (stream) => used.get(stream) ?? 0,
      isOver: () => false,
      end: async (stream) => used.get(stream) ?? 0,
      earned: () => undefined,
      claimed: () => undefined,
    },
    journal: new FlashJournal(store, fastPath),
    policy: () => ({ flush: { everyMs: 60_000, value: 1n << 100n }, claim: { threshold: 1n << 100n, lowDeposit: 0n }, idleMs: 600_000 }),
    note: () => undefined,
    claim: () => undefined,
  }
  const desk = new PayeeDesk(deps)
  desk.start()
  const sign = (digest: Uint8Array, key: Uint8Array): Uint8Array => curve.sign(digest, key)
  const outbox = new Map<string, Uint8Array[]>()
  const peers = guests.map(({ address }) => ({ device: address, send: (bytes: Uint8Array) => void (outbox.get(address) ?? outbox.set(address, []).get(address))?.push(bytes) }))
  await openAll(desk, guests, peers, outbox, terms, sign)
  const [percents, perTickUs]: [number[], number[]] = [[], []]
  for (let minute = 0; minute < MINUTES; minute++) {
    const vouchers = guests.map((guest) => voucherOf(guest, BigInt(minute * STEPS) * terms.unit, terms, sign))
    let cpuUs = 0
    for (let second = 0; second < STEPS; second++) {
      // Guests are spread over the minute in life; here their vouchers come together, which is the same work.
      const frames = guests.map(({ session, words }, index) => {
        const tick = encodeFrame({ kind: 'tick', session, index: second + 1, preimage: words[second + 1] ?? new Uint8Array(32) })
        return second === 0 ? Buffer.concat([vouchers[index] ?? tick, tick]) : tick
      })
      const before = process.cpuUsage()
      for (const [index, bytes] of frames.entries()) {
        const peer = peers[index]
        if (peer !== undefined) desk.receive(peer, bytes)
      }
      time.step(1000)
      await desk.quiet()
      const spent = process.cpuUsage(before)
      cpuUs += spent.user + spent.system
    }
    for (const frames of outbox.values()) frames.length = 0
    percents.push((100 * cpuUs) / (STEPS * 1e6))
    perTickUs.push(cpuUs / (STEPS * GUESTS))
  }
  const lost = guests.filter(({ account }) => desk.earnedOf(account.channel) !== BigInt(MINUTES * STEPS) * terms.unit)
  await desk.stop()
  if (lost.length > 0) throw new Error(`${lost.length} of ${GUESTS} streams were not counted in full`)
  return { percents, perTickUs }
}

function guestOf(index: number, payee: Address, terms: StreamTerms, addressOf: (key: Uint8Array) => Address): Guest {
  const key = keccak_256(new TextEncoder().encode(`guest ${index}`))
  const address = addressOf(key)
  const channel = channelIdOf(address, payee, terms.token, terms.contract)
  const domain = { profile: 'v2', chainId: terms.chainId, contract: terms.contract } as const
  return { key, address, session: 0, words: [], account: { channel, epoch: 1n, domain, token: terms.token, payer: address, payee, transferred: 0n, proved: 0n, ceiling: 1n << 90n } }
}

async function openAll(desk: PayeeDesk, guests: readonly Guest[], peers: readonly { device: string; send: (bytes: Uint8Array) => void }[], outbox: Map<string, Uint8Array[]>, terms: StreamTerms, sign: (digest: Uint8Array, key: Uint8Array) => Uint8Array): Promise<void> {
  for (const [index, guest] of guests.entries()) {
    const peer = peers[index]
    if (peer === undefined) continue
    desk.receive(peer, encodeFrame({ kind: 'hello', payer: guest.address }))
    const offer = (outbox.get(guest.address) ?? []).flatMap((bytes) => decodeFrames(bytes) ?? []).find((frame) => frame.kind === 'offer')
    if (offer?.kind !== 'offer') throw new Error('no offer')
    guest.session = offer.session
    desk.receive(peer, encodeFrame({ kind: 'open', session: offer.session, signature: sign(openDigest(terms, guest.account, offer.challenge), guest.key) }))
  }
  await desk.quiet()
}

function voucherOf(guest: Guest, cumulative: bigint, terms: StreamTerms, sign: (digest: Uint8Array, key: Uint8Array) => Uint8Array): Uint8Array {
  const words: Uint8Array[] = [keccak_256(new TextEncoder().encode(`${guest.address} ${cumulative}`))]
  for (let step = 0; step < STEPS; step++) words.unshift(nodeSha256(words[0] ?? new Uint8Array(32)))
  guest.words = words
  const tip: Hash = `0x${Buffer.from(words[0] ?? []).toString('hex')}`
  const body = { cumulative, tip, steps: STEPS, unit: terms.unit }
  const signature = sign(voucherDigest(terms, { ...body, channel: guest.account.channel, epoch: guest.account.epoch }), guest.key)
  return encodeFrame({ kind: 'voucher', session: guest.session, ...body, signature })
}

class SteppedTime implements Clock, Timers {
  readonly bootId = 'bench'
  #nowMs = 1_000_000
  readonly #every: (() => void)[] = []

  boottimeMs(): number {
    return this.#nowMs
  }
  wallMs(): number {
    return this.#nowMs
  }
  isWallTrusted(): boolean {
    return false
  }
  after(): Cancel {
    return () => undefined
  }
  every(_intervalMs: number, run: () => void): Cancel {
    this.#every.push(run)
    return () => undefined
  }
  step(ms: number): void {
    this.#nowMs += ms
    for (const run of this.#every) run()
  }
}
