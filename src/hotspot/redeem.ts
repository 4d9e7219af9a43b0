/**
 * From a bearer to an open gate. The order is the whole point (portal.md row 21): look, ask the gate, write
 * voucher, session and earning in one turn, and only then open. The same bearer and the same device are
 * served one after the other, so that asking twice gives one session.
 */
import { MeshBoxError } from '../base/index.ts'
import type { BearerReader, VoucherBearer } from './bearers.ts'
import { foreignTerms } from './bearers.ts'
import { readIp } from './gate/index.ts'
import type { MacAddress } from './gate/types.ts'
import { findVoucher, insertVoucher, lockVoucher } from './io/voucher-tables.ts'
import type { StoredVoucher } from './io/voucher-tables.ts'
import type { InTurn, Keeper } from './keeper.ts'
import { gateFailed } from './keeper.ts'
import type { Lanes } from './lanes.ts'
import { deviceLane, sessionLane, voucherLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { Metering } from './metering.ts'
import type { Opening } from './opening.ts'
import type { HotspotDeps } from './ports.ts'
import type { SessionIds } from './session-ids.ts'
import { boundDevices, currentOf, isBoundTo, isOver, isUsable, isVisitor, quotedSession, step } from './session/index.ts'
import type { NewDevice, Session, Terms } from './session/index.ts'
import { voucherAllotment } from './tariff/index.ts'
import type { TicketFacts } from './ticket/index.ts'
import type { VoucherId, VoucherTerms } from './voucher/index.ts'
import { keptSessions } from './wallet/index.ts'

const DAY_MS = 86_400_000
/** How often the sessions of a device may change under our hands before we give up. */
const MAX_LOOKS = 8

export interface RedeemParts {
  readonly live: LiveSessions
  readonly lanes: Lanes
  readonly keeper: Keeper
  readonly metering: Metering
  readonly opening: Opening
  readonly bearers: BearerReader
  readonly ids: SessionIds
}

export class Redeem {
  readonly #deps: HotspotDeps
  readonly #parts: RedeemParts

  constructor(deps: HotspotDeps, parts: RedeemParts) {
    this.#deps = deps
    this.#parts = parts
  }

  async redeem(mac: MacAddress, ip4: string | null, text: string): Promise<Session> {
    const { bearers, lanes } = this.#parts
    const bearer = bearers.read(mac, text, this.#deps.clock.boottimeMs())
    if (bearer.kind === 'ticket') return lanes.run([deviceLane(mac)], () => this.#useTicket(mac, ip4, bearer.ticket))
    return lanes.run([voucherLane(bearer.id), deviceLane(mac)], () => this.#useVoucher(mac, ip4, bearer))
  }

  /** The newest session under this key that is not over. Whether the key is there was found out before (wallet/). */
  async useKey(mac: MacAddress, ip4: string | null, address: string): Promise<Session> {
    const { live, lanes } = this.#parts
    const newest = (): Session | undefined => {
      const ids = this.#deps.store.read((tx) => keptSessions(tx, address))
      return ids.map((id) => live.get(id)).find((session) => session !== undefined)
    }
    return lanes.run([deviceLane(mac)], async () => {
      // One that turns out to be used up makes room for the one before it.
      while (newest() !== undefined) {
        const joined = await this.withSessions(
          () => [newest(), live.ofDevice(mac)],
          async () => {
            const session = await this.charged(newest())
            return session === undefined ? null : this.#join(session, mac, ip4, false)
          },
        )
        if (joined !== null) return joined
      }
      throw new MeshBoxError('not-found', 'no time is kept under this key', { code: 'key-unknown' })
    })
  }

  /** Holds the lanes of these sessions, as they are when the lanes are free. */
  async withSessions<T>(find: () => readonly (Session | undefined)[], task: () => Promise<T>): Promise<T> {
    const idsNow = (): string[] => find().flatMap((session) => (session === undefined ? [] : [session.id]))
    for (let look = 0; look < MAX_LOOKS; look++) {
      const ids = idsNow()
      const outcome = await this.#parts.lanes.run(ids.map(sessionLane), async () =>
        idsNow().join() === ids.join() ? { value: await task() } : null,
      )
      if (outcome !== null) return outcome.value
    }
    throw new MeshBoxError('unavailable', 'this session is changing hands; try again', { code: 'session-busy', retryAfterSeconds: 1 })
  }

  /**
   * A new session that is journaled with what `inTurn` adds to its turn, and then opened. If the device is in
   * another one, whose lane is then held, it leaves that in the same turn.
   */
  async begin(device: NewDevice, terms: Terms, inTurn: InTurn): Promise<Session> {
    const { ids, opening, keeper, lanes, live } = this.#parts
    const id = ids.next()
    const quoted = step(quotedSession(id, this.#deps.config().token), { type: 'preflight' }).session
    return opening.withPlace(id, () =>
      lanes.run([sessionLane(id)], async () => {
        const received = step(quoted, { type: 'received', terms, device }).session
        const at = keeper.now()
        const journaling = step(received, { type: 'journaled', at })
        const other = live.ofDevice(device.mac)
        const journaled =
          other === undefined
            ? await keeper.carryOut(journaling, inTurn)
            : await keeper.carryOutBoth(step(other, { type: 'unbind', at, mac: device.mac }), journaling, inTurn)
        return opening.open(journaled, 'guest')
      }),
    )
  }

  async newDevice(mac: MacAddress, ip4: string | null): Promise<NewDevice> {
    return { mac, ip4: usableIp4(ip4 ?? this.#deps.neighbours.ip4Of(mac)), seen: await this.#parts.metering.baseline(mac) }
  }

  /** The session as it is after time and traffic up to now are charged; undefined if that ended it. */
  async charged(session: Session | undefined): Promise<Session | undefined> {
    if (session === undefined) return undefined
    const now = await this.#parts.metering.charge(session)
    return isOver(now) ? undefined : now
  }

  /** A device that leaves a session just charged: the next one begins where that ended. */
  #movingDevice(mac: MacAddress, ip4: string | null): NewDevice {
    return { mac, ip4: usableIp4(ip4 ?? this.#deps.neighbours.ip4Of(mac)), seen: this.#parts.metering.lastReading(mac) }
  }

  async #useTicket(mac: MacAddress, ip4: string | null, ticket: TicketFacts): Promise<Session> {
    const { live } = this.#parts
    return this.withSessions(
      () => [live.get(ticket.sessionId), live.ofDevice(mac)],
      async () => {
        const session = await this.charged(live.get(ticket.sessionId))
        if (session === undefined) throw stale('this session is over')
        if (!isBoundTo(session, mac) && ticket.counter !== session.ticketCounter)
          throw stale('this link was used already; take the one shown on the device that is online')
        return this.#join(session, mac, ip4, true)
      },
    )
  }

  async #useVoucher(mac: MacAddress, ip4: string | null, bearer: VoucherBearer): Promise<Session> {
    const { live } = this.#parts
    return this.withSessions(
      () => [live.ofBearer(bearer.id), live.ofDevice(mac)],
      async () => {
        const known = this.#deps.store.read((tx) => findVoucher(tx, bearer.id))
        if (known?.state === 'revoked') throw revoked()
        const session = await this.charged(live.ofBearer(bearer.id))
        if (session !== undefined && isHeldBy(session, bearer.id, mac)) {
          // Who pays by the second pays for his own device: a slip that waits behind it is no share in that.
          if (!isBoundTo(session, mac) && currentOf(session.allotments)?.source === 'stream') throw used()
          return this.#join(session, mac, ip4, false)
        }
        if (session !== undefined || known?.state === 'used') throw used()
        return this.#firstUse(mac, ip4, bearer, known)
      },
    )
  }

  /** The bearer's own session: take it up on this device, wherever it was before. */
  async #join(session: Session, mac: MacAddress, ip4: string | null, byTicket: boolean): Promise<Session> {
    const { live, keeper, metering, opening } = this.#parts
    const isBound = isBoundTo(session, mac)
    return opening.withPlace(session.id, async () => {
      // Whoever gives way to this device has used what he has used, and so has the device where it was before.
      const charged = isBound ? session : await this.charged(session)
      if (charged === undefined) throw used()
      const found = live.ofDevice(mac)
      const other = found === undefined || found.id === session.id ? undefined : await this.charged(found)
      const device = other === undefined ? await this.newDevice(mac, ip4) : this.#movingDevice(mac, ip4)
      const at = keeper.now()
      const joining = step(charged, { type: 'bind', at, device, byTicket })
      const joined =
        other === undefined
          ? await keeper.carryOut(joining)
          : await keeper.carryOutBoth(step(other, { type: 'unbind', at, mac }), joining)
      const isRefused = !isBound && joined.state === 'active' && keeper.behind.has(joined.id)
      if (!isRefused) {
        const evicted = boundDevices(charged).filter((each) => !isBoundTo(joined, each.mac))
        const rest = await metering.chargeGone(joined, evicted.map((each) => each.mac))
        if (isOver(rest)) throw used()
        return opening.open(rest, 'guest')
      }
      // The gate did not take the device: then it is not bound either, and the others stay.
      await keeper.perform(joined, { type: 'unbind', at: keeper.now(), mac })
      throw gateFailed()
    })
  }

  async #firstUse(mac: MacAddress, ip4: string | null, bearer: VoucherBearer, known: StoredVoucher | null): Promise<Session> {
    const { live, keeper, opening } = this.#parts
    const voucher = known ?? foreignTerms(this.#deps.config(), bearer)
    const { terms, label } = voucher
    if (terms.tokens !== null)
      throw new MeshBoxError('conflict', 'this code is worth tokens: it goes into the channel of a key, on the wallet page', { code: 'token-code' })
    this.#checkDate(terms)
    const inTurn = this.#payment(bearer.id, terms, label)
    const bought = voucherAllotment(bearer.id, label, terms)
    const running = await this.charged(live.ofDevice(mac))
    // What a visitor brings is his own: in the session of another it could be taken from him.
    if (running !== undefined && isVisitor(running, mac)) return this.begin(this.#movingDevice(mac, ip4), bought, inTurn)
    if (running === undefined) return this.begin(await this.newDevice(mac, ip4), bought, inTurn)
    return opening.withPlace(running.id, async () => {
      const richer = await keeper.perform(running, { type: 'bought', at: keeper.now(), terms: bought }, inTurn)
      return opening.open(richer, 'guest')
    })
  }

  /** The first-use lock and the earning, in the turn that journals the session. */
  #payment(id: VoucherId, terms: VoucherTerms, label: string): InTurn {
    const { ledger, config, clock } = this.#deps
    const at = this.#parts.keeper.now()
    return (tx, session) => {
      if (findVoucher(tx, id) === null)
        insertVoucher(tx, { id, batch: '', terms, label, state: 'unused', sessionId: null, createdWallMs: clock.wallMs() })
      const dateCheck = terms.validUntilDay === null ? 'none' : at.wallTrusted ? 'ok' : 'pending'
      if (!lockVoucher(tx, id, session.id, at, dateCheck)) throw findVoucher(tx, id)?.state === 'revoked' ? revoked() : used()
      if (terms.price === 0n) return session
      const entryId = ledger.earn(tx, {
        source: 'hotspot:voucher',
        token: config().token.symbol,
        amount: terms.price,
        from: 'cash:vouchers',
        evidence: {
          type: 'voucher',
          id,
          facts: {
            session: session.id,
            ...(terms.seconds === null ? {} : { seconds: terms.seconds }),
            ...(terms.bytes === null ? {} : { bytes: terms.bytes }),
          },
        },
        at,
      })
      const allotments = session.allotments.map((each) => (each.bearer === id ? { ...each, entryId } : each))
      return { ...session, allotments }
    }
  }

  /** portal.md 2.10: a date counts only while the clock is trusted; else it is looked at later. */
  #checkDate(terms: VoucherTerms): void {
    const { clock } = this.#deps
    if (terms.validUntilDay === null || !clock.isWallTrusted()) return
    if (Math.floor(clock.wallMs() / DAY_MS) > terms.validUntilDay)
      throw new MeshBoxError('conflict', 'the last day of this voucher is over', { code: 'voucher-expired' })
  }
}

/** What the gate would not take as an address is no address yet. */
function usableIp4(ip4: string | null): string | null {
  const ip = ip4 === null ? null : readIp(ip4)
  return ip === null || ip.includes(':') || ip === '0.0.0.0' ? null : ip
}

/** What a slip gave may be used up while others paid for more: then it is no longer worth anything, but to its own device. */
function isHeldBy(session: Session, bearer: VoucherId, mac: MacAddress): boolean {
  if (session.allotments.some((each) => each.bearer === bearer && isUsable(each))) return true
  return isBoundTo(session, mac) && !isVisitor(session, mac)
}

function stale(message: string): MeshBoxError {
  return new MeshBoxError('conflict', message, { code: 'ticket-stale' })
}

function used(): MeshBoxError {
  return new MeshBoxError('conflict', 'this voucher is used up', { code: 'voucher-used' })
}

function revoked(): MeshBoxError {
  return new MeshBoxError('conflict', 'the owner took this voucher back', { code: 'voucher-revoked' })
}
