/**
 * Minutes bought ahead by another box, whose way out is this hotspot (docs/portal.md "Minutes for boxes"). An order binds a reference to
 * the device that laid it, and fixes the price; it costs nothing and lies in memory. What is paid under the reference is on disk
 * before anything is opened; session, earning and what was granted are one turn, so a reference is one purchase for ever.
 */
import { MeshBoxError, inputError, mulDivFloor } from '../../base/index.ts'
import type { Hash } from '../../base/index.ts'
import { readMac } from '../gate/index.ts'
import type { MacAddress } from '../gate/types.ts'
import type { InTurn, Keeper } from '../keeper.ts'
import type { Lanes } from '../lanes.ts'
import { deviceLane, voucherLane } from '../lanes.ts'
import type { LiveSessions } from '../live-sessions.ts'
import type { Opening } from '../opening.ts'
import type { HotspotDeps } from '../ports.ts'
import type { Redeem } from '../redeem.ts'
import { boundDevices, isVisitor, viewOf } from '../session/index.ts'
import type { Session, Terms } from '../session/index.ts'
import { findAhead, saveGranted } from './io/ahead-tables.ts'
import type { AheadRow } from './io/ahead-tables.ts'
import type { AheadDoor, AheadPrice, AheadState, AheadTerms } from './ports.ts'

const REFERENCE = /^0x[0-9a-f]{64}$/
const MIN_SECONDS = 60
const MAX_SECONDS = 86_400
/** What one payment may buy; the rest of a larger one is no time but a gift. */
const MOST_SECONDS = 366 * 86_400
const MOST_MS = BigInt(MOST_SECONDS) * 1000n
const MS_OF_MINUTE = 60_000n
/** Orders that nobody has paid: the oldest give way, of the device's own first. */
const OF_DEVICE = 4
const IN_ALL = 256

export interface AheadParts {
  readonly live: LiveSessions
  readonly lanes: Lanes
  readonly keeper: Keeper
  readonly opening: Opening
  readonly redeem: Redeem
}

interface Order {
  readonly mac: MacAddress
  readonly price: AheadPrice
}

export class AheadSales {
  readonly #deps: HotspotDeps
  readonly #parts: AheadParts
  /** By reference, the oldest first. */
  readonly #orders = new Map<Hash, Order>()

  constructor(deps: HotspotDeps, parts: AheadParts) {
    this.#deps = deps
    this.#parts = parts
  }

  /** The door while minutes are sold so. `price`: as it is now. */
  door(price: AheadPrice): AheadDoor {
    return {
      terms: (device): AheadTerms => {
        const mac = macOf(device)
        const session = this.#parts.live.ofDevice(mac)
        // Time that would be paid for and not be used.
        if (session?.state === 'paused' && session.pauseReason === 'owner') throw new MeshBoxError('conflict', 'the owner has paused this device', { code: 'paused-by-owner' })
        return { ...price, minSeconds: MIN_SECONDS, maxSeconds: MAX_SECONDS, leftSeconds: this.#leftSeconds(mac), boxesPort: this.#boxesPort() }
      },
      order: (device, reference) => this.#order(macOf(device), reference, price),
    }
  }

  async #order(mac: MacAddress, text: string, price: AheadPrice): Promise<AheadState> {
    if (!REFERENCE.test(text)) throw inputError('reference', text, '0x and 64 lower-case hex digits')
    const reference = text as Hash
    return this.#parts.lanes.run([voucherLane(reference), deviceLane(mac)], async () => {
      const row = this.#read(reference, price.token)
      const order = this.#orders.get(reference)
      const owner = row?.mac ?? order?.mac ?? mac
      if (owner !== mac) throw new MeshBoxError('conflict', 'this reference is of another device', { code: 'ahead-other-device' })
      if (row === null) return { state: 'ordered', ...this.#lay(reference, { mac, price }) }
      // An order that this process does not remember any more has today's price.
      if (row.amount > row.granted) await this.#grant(reference, row, mac, order?.price ?? price)
      else await this.#openAgain(mac)
      this.#orders.delete(reference)
      return { state: 'paid', leftSeconds: this.#leftSeconds(mac) }
    })
  }

  /** The same again has the price of the first time. */
  #lay(reference: Hash, order: Order): AheadPrice {
    const known = this.#orders.get(reference)
    if (known !== undefined) return known.price
    const own = [...this.#orders].filter(([, { mac }]) => mac === order.mac).map(([each]) => each)
    if (own.length >= OF_DEVICE) for (const each of own.slice(0, own.length - OF_DEVICE + 1)) this.#orders.delete(each)
    for (const oldest of this.#orders.keys()) {
      if (this.#orders.size < IN_ALL) break
      this.#orders.delete(oldest)
    }
    this.#orders.set(reference, order)
    return order.price
  }

  /** As a voucher is redeemed: a new session, or more in the one that the device has. The device's lane is held. */
  async #grant(reference: Hash, row: AheadRow, mac: MacAddress, price: AheadPrice): Promise<void> {
    const { live, keeper, opening, redeem } = this.#parts
    const amount = row.amount - row.granted
    const terms = this.#termsOf(reference, amount, price)
    const inTurn = this.#earned(reference, row, mac, price, terms)
    await redeem.withSessions(
      () => [live.ofDevice(mac)],
      async () => {
        const running = await redeem.charged(live.ofDevice(mac))
        // Where others are online too, one of them might be served for what this device paid.
        if (running === undefined || isVisitor(running, mac) || boundDevices(running).length > 1) return redeem.begin(await redeem.newDevice(mac, null), terms, inTurn)
        return opening.withPlace(running.id, async () => opening.open(await keeper.perform(running, { type: 'bought', at: keeper.now(), terms }, inTurn), 'guest'))
      },
    )
  }

  #termsOf(reference: Hash, amount: bigint, { unitsPerMinute }: AheadPrice): Terms {
    const { downKbps, upKbps } = this.#deps.config().tariff
    const ms = mulDivFloor(amount, MS_OF_MINUTE, unitsPerMinute)
    return { source: 'voucher', bearer: reference, label: 'Bought ahead', grantedMs: Number(ms < 1n ? 1n : ms > MOST_MS ? MOST_MS : ms), grantedBytes: null, devices: 1, downKbps, upKbps, price: amount }
  }

  /** What was granted and the earning, in the turn that journals the time. */
  #earned(reference: Hash, { payer, amount }: AheadRow, mac: MacAddress, { token, unitsPerMinute }: AheadPrice, { price, grantedMs }: Terms): InTurn {
    const { ledger, config } = this.#deps
    const at = this.#parts.keeper.now()
    return (tx, session) => {
      saveGranted(tx, reference, token, amount, mac)
      const entryId = ledger.earn(tx, {
        source: 'hotspot:ahead',
        token: config().token.symbol,
        amount: price,
        from: `photon:${payer}`,
        evidence: { type: 'ahead', id: `${reference}:${amount}`, facts: { payer, session: session.id, milliseconds: grantedMs ?? 0, perMinute: unitsPerMinute.toString() } },
        at,
      })
      const allotments = session.allotments.map((each) => (each.bearer === reference && each.entryId === null ? { ...each, entryId } : each))
      return { ...session, allotments }
    }
  }

  /** The gate may have refused, or time stands still for it since a restart: who asks wants to go on. */
  async #openAgain(mac: MacAddress): Promise<void> {
    const { live, opening, redeem } = this.#parts
    const waits = (session: Session | undefined): boolean => session !== undefined && (session.state === 'credited' || (session.state === 'paused' && session.pauseReason !== 'owner'))
    if (!waits(live.ofDevice(mac))) return
    await redeem.withSessions(
      () => [live.ofDevice(mac)],
      async () => {
        const session = await redeem.charged(live.ofDevice(mac))
        if (session !== undefined && waits(session)) await opening.withPlace(session.id, () => opening.open(session, 'guest'))
      },
    )
  }

  /** Without a gate there is no guests' side. */
  #boxesPort(): number | null {
    const { gate, boxesPort } = this.#deps.config().hotspot
    return gate === 'nft' && boxesPort !== 0 ? boxesPort : null
  }

  #leftSeconds(mac: MacAddress): number {
    const session = this.#parts.live.ofDevice(mac)
    if (session === undefined || session.state !== 'active') return 0
    return Math.min(viewOf(session, this.#deps.clock.boottimeMs()).secondsLeft ?? MOST_SECONDS, MOST_SECONDS)
  }

  #read(reference: Hash, token: string): AheadRow | null {
    return this.#deps.store.read((tx) => findAhead(tx, reference, token))
  }
}

/** The door found out who asks. */
function macOf(device: string): MacAddress {
  const mac = readMac(device)
  if (mac === null) throw inputError('mac', device, 'the address of a device on the guest network')
  return mac
}
