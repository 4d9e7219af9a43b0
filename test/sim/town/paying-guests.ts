/**
 * Guests of one box who pay by the second: their pages, with keys of their own, the box's real desk for streams on its real channels, and the chain's
 * claims. A page may be reloaded, or be gone with its phone; the process and the power go as they do for the rest of the box.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { GuestStreams } from '../../../src/main/guest-streams.ts'
import { ChannelStreams } from '../../../src/photon/box/stream-side.ts'
import { NO_DUTIES } from '../../../src/photon/chain/index.ts'
import type { PhotonStatus } from '../../../src/photon/index.ts'
import type { PhotonNode } from '../../../src/photon/node/index.ts'
import type { ChannelEvent } from '../../../src/photon/ports.ts'
import type { Store } from '../../../src/store/index.ts'
import { keyFrom } from '../../support/audited.ts'
import type { Key } from '../../support/audited.ts'
import type { CrashBox } from '../../support/crash-box.ts'
import { seededRandom } from '../../support/fakes.ts'
import { guest } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'
import { PayingPage } from '../../support/paying-page.ts'
import { DOMAIN, TOKEN, accountSigner, channelOf } from '../../unit/photon-node/box.ts'
import type { TestMoments } from '../../unit/photon-node/box.ts'
import { curve } from './curve.ts'

/** Of a second. */
export const UNIT = 7n
/** More than it may take from one partner while nobody sees the chain. */
export const OFFLINE_EXPOSURE = 3000n
const DEPOSIT = 400_000n
/** Worth the gas of a claim. */
const CLAIM_AT = 700n
const GUESTS = 2
const GRACE_TICKS = 15n
/** Of streams only the power takes something: what is not on flash, at most so many ticks, and the kernel's lease with what was noted last. */
const FLUSH_TICKS = 180n
const LEASE_SECONDS = 60n + 20n

interface Guest {
  readonly key: Key
  readonly mac: string
  page: PayingPage | null
  /** The most that his pages have signed and shown. */
  shown: bigint
  /** Of his counter, what the chain has paid to the box. */
  claimed: bigint
  /** Deaths of the box while he was its guest. */
  deaths: number
}

/** What a start of the process makes anew. */
interface Life {
  readonly node: PhotonNode
  readonly side: ChannelStreams
  readonly streams: GuestStreams
  readonly box: TestBox
}

export class PayingGuests {
  /** Goes on while the box is off. */
  phoneMs = 0
  readonly #guests: readonly Guest[]
  readonly #self: Key
  readonly #crash: CrashBox
  readonly #moments: TestMoments
  /** Orders for the chain that are on disk and not mined. */
  readonly #claims = new Map<Address, bigint>()
  #life: Life | null = null
  readonly #leaving = new Set<Guest>()
  #pages = 0
  #lives = 0

  /** `first`: number of the first guest's device. */
  constructor(self: Key, first: number, crash: CrashBox, moments: TestMoments) {
    this.#self = self
    this.#crash = crash
    this.#moments = moments
    this.#guests = Array.from({ length: GUESTS }, (_, index) => {
      const { mac } = guest(first + index)
      if (mac === null) throw new Error('a guest without a device')
      return { key: keyFrom(`payer ${first + index}`), mac, page: null, shown: 0n, claimed: 0n, deaths: 0 }
    })
  }

  get journalPath(): string {
    return join(this.#crash.folder, 'tmpfs', 'streams')
  }

  /** In each new process, when its channels are there. */
  begin(box: TestBox, store: Store, node: PhotonNode): void {
    const { time } = this.#crash
    const side = new ChannelStreams({
      node,
      duties: {
        // In the turn: it is ordered if, and only if, that is on disk.
        put: (_tx, orders) => {
          for (const { duty } of orders) if (duty.kind === 'claim') this.#order(duty.payer, duty.voucher.cumulative + duty.voucher.unit * BigInt(duty.steps))
        },
        pending: () => NO_DUTIES,
        look: () => Promise.resolve(),
      },
      proved: { newest: () => Promise.resolve(null) },
      store,
      signer: accountSigner(curve, this.#self.secret),
      curve,
      settings: { maxOfflineExposure: OFFLINE_EXPOSURE, revealTimeout: 30 },
      moment: () => this.#moments.now(),
      unknown: () => undefined,
      log: silentLog,
    })
    box.config = { ...box.config, photon: { ...box.config.photon, tokens: [{ address: TOKEN, symbol: 'MBX', decimals: 6 }], streamToken: TOKEN, streamPricePerMinute: UNIT * 60n, streamClaimThreshold: CLAIM_AT } }
    const streams = new GuestStreams({
      config: () => box.config,
      hotspot: box.hotspot,
      channels: () => ({ streams: () => side, desk: { status: () => this.#status(), duties: () => [] } }),
      keccak: (bytes) => curve.keccak256(bytes),
      store,
      journalPath: this.journalPath,
      clock: time,
      timers: time,
      // No two processes draw the same: sessions are named by it for ever.
      randomness: seededRandom(this.#lives++ * 65_536 + Number(BigInt(this.#self.address) & 0xffffn)),
      log: silentLog,
    })
    this.#life = { node, side, streams, box }
  }

  /** What the chain tells of guests' channels; again and again. */
  events(): readonly ChannelEvent[] {
    return this.#guests.flatMap(({ key: { address } }): readonly ChannelEvent[] => {
      const channel = channelOf(this.#self.address, address)
      if (this.#life?.node.channel(channel) !== undefined) return []
      return [
        { channel, block: 900, kind: 'opened', token: TOKEN, a: this.#self.address, b: address, epoch: 1n, settleTimeout: 600 },
        { channel, block: 900, kind: 'deposited', participant: address, total: DEPOSIT },
      ]
    })
  }

  /** After `events` were told. */
  start(): void {
    this.#life?.streams.start()
    for (const { page } of this.#guests) page?.act({ type: 'connected' })
  }

  /** The process is gone, or the power with what lies on tmpfs. */
  died(kind: 'service' | 'power'): void {
    this.#life = null
    for (const each of this.#guests) each.deaths++
    if (kind === 'power') rmSync(join(this.#crash.folder, 'tmpfs'), { recursive: true, force: true })
  }

  pass(ms: number): void {
    this.phoneMs += ms
    for (const { page } of this.#guests) page?.due()
  }

  /** `pick`: any number. True: somebody does something. */
  act(pick: number): void {
    const who = this.#guests[pick % GUESTS]
    if (who === undefined) return
    const what = Math.floor(pick / GUESTS) % 8
    this.#leaving.delete(who)
    if (who.page === null || who.page.phase === 'over') this.#open(who, what % 3 === 0)
    else if (what < 3) who.page.act({ type: 'lead', seconds: [0, 30, 120][what] ?? 0 })
    else if (what < 5) who.page.act({ type: 'stop' })
    else if (what < 6) this.#open(who, false)
    else if (what < 7) this.#close(who)
  }

  /** Everybody asks the box for its last word, also whose phone was gone: until then the ledger is behind by what the vouchers have not brought. To be called until all are gone. */
  leave(): void {
    for (const who of this.#guests) {
      if (who.page?.phase === 'paying') {
        this.#leaving.add(who)
        who.page.act({ type: 'stop' })
      } else if (who.page === null || (who.page.phase === 'over' && !this.#leaving.has(who))) this.#open(who, false)
    }
  }

  get areGone(): boolean {
    return this.#guests.every((who) => who.page?.phase === 'over' && this.#leaving.has(who))
  }

  /** What the chain is to do: it lands when the box has taken in that it did. */
  ordered(): readonly ChannelEvent[] {
    return [...this.#claims].map(([payer, cumulative]) => ({ channel: channelOf(this.#self.address, payer), block: this.#moments.now().block, kind: 'claimed', payer, cumulative }))
  }

  /** The box has taken in what was mined. */
  mined(events: readonly ChannelEvent[]): void {
    for (const event of events) {
      if (event.kind !== 'claimed') continue
      if (this.#claims.get(event.payer) === event.cumulative) this.#claims.delete(event.payer)
      const who = this.#guests.find(({ key }) => key.address === event.payer)
      if (who !== undefined && event.cumulative > who.claimed) who.claimed = event.cumulative
      this.#life?.side.changed({ channel: event.channel, epoch: 1n })
    }
  }

  earned(): bigint {
    return this.#guests.reduce((sum, { key }) => sum + this.#booked(key.address), 0n)
  }
  claimed(): bigint {
    return this.#guests.reduce((sum, { claimed }) => sum + claimed, 0n)
  }

  /** When all have left: what each was charged is what he signed and had, and all books say the same. */
  problems(): readonly string[] {
    return this.#guests.flatMap((who) => {
      const { key, shown, claimed, deaths } = who
      const booked = this.#booked(key.address)
      const counter = this.#life?.node.channel(channelOf(this.#self.address, key.address))?.partner.transferred ?? 0n
      const { onlineSeconds, streams } = this.#served(who)
      const most = UNIT * (onlineSeconds + streams * (GRACE_TICKS + 2n))
      const least = UNIT * (onlineSeconds - streams * (GRACE_TICKS + 2n) - BigInt(deaths) * (FLUSH_TICKS + LEASE_SECONDS))
      const shownNow = who.page === null ? shown : max(shown, who.page.shown)
      const said = `${key.address}: shown ${shownNow}, booked ${booked}, in the channel ${counter}, claimed ${claimed}, ${onlineSeconds} s online in ${streams} streams, ${deaths} deaths`
      return [
        ...(booked > shownNow ? [`a guest was charged for more than he signed: ${said}`] : []),
        ...(booked !== counter ? [`the ledger and the channel differ of a guest: ${said}`] : []),
        ...(claimed > booked ? [`the chain paid more than was earned: ${said}`] : []),
        ...(booked > most ? [`a guest was charged for more than he had: ${said}`] : []),
        ...(booked < least ? [`a guest had more than he paid, and what a box may lose by its deaths: ${said}`] : []),
      ]
    })
  }

  #booked(payer: Address): bigint {
    const { store, box } = this.#crash
    return store.read((tx) => box.ledger.balance(tx, `channel:${channelOf(this.#self.address, payer)}`, 'MBX'))
  }

  #served({ mac }: Guest): { readonly onlineSeconds: bigint; readonly streams: bigint } {
    const rows = this.#crash.store.read((tx) => tx.all<{ id: string; n: number }>("SELECT d.session_id AS id, (SELECT count(*) FROM hotspot_allotment a WHERE a.session_id = d.session_id AND a.source = 'stream') AS n FROM hotspot_device d WHERE d.mac = ? GROUP BY d.session_id", mac))
    const onlineMs = rows.reduce((sum, { id }) => sum + (this.#crash.onlineMs.get(id) ?? 0), 0)
    return { onlineSeconds: BigInt(Math.ceil(onlineMs / 1000)), streams: BigInt(rows.reduce((sum, { n }) => sum + n, 0)) }
  }

  #open(who: Guest, isAhead: boolean): void {
    this.#close(who)
    const { key, mac } = who
    const page = new PayingPage(key.address, mac, this.#pages++, UNIT, () => this.phoneMs, () => (this.#crash.isDead ? null : (this.#life?.streams.door() ?? null)), who.shown, {
      payee: this.#self.address,
      contract: DOMAIN,
      token: TOKEN,
      sign: (digest) => curve.sign(digest, key.secret),
      recover: (digest, signature) => {
        const signer = curve.recoverAddress(digest, signature)
        return signer === null ? null : hexOf(signer)
      },
    })
    who.page = page
    if (isAhead) page.act({ type: 'lead', seconds: 30 })
    page.act({ type: 'start' })
  }

  #close(who: Guest): void {
    if (who.page === null) return
    who.page.close()
    who.shown = max(who.shown, who.page.shown)
    who.page = null
  }

  #order(payer: Address, value: bigint): void {
    this.#claims.set(payer, max(this.#claims.get(payer) ?? 0n, value))
  }

  #status(): PhotonStatus {
    const { block, isFrozen } = this.#moments.now()
    return { state: isFrozen ? 'offline' : 'ready', account: this.#self.address, contract: DOMAIN.contract, chainId: DOMAIN.chainId, head: block, gasWei: null, wrapped: null, original: null, channels: GUESTS, peers: 0, listening: [], alarms: [], earned: [] }
  }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
