/**
 * The seller's side: sessions of this box that are used at another. While one is away it is paused here, and what the other box reports is
 * charged to it as it comes; a figure that turns out too high is given back. Only a session walks that has a single device, and whose
 * time is bought ahead: bytes alone, trials and time that is paid by the second stay where they are.
 */
import { createHash } from 'node:crypto'
import { MeshBoxError, bytesOf, hexOf, utf8 } from '../../base/index.ts'
import type { Address, Cancel, Hash } from '../../base/index.ts'
import { findSession } from '../io/session-tables.ts'
import type { Keeper } from '../keeper.ts'
import type { Lanes } from '../lanes.ts'
import { sessionLane } from '../lanes.ts'
import type { LiveSessions } from '../live-sessions.ts'
import type { Metering } from '../metering.ts'
import type { Opening } from '../opening.ts'
import type { MacAddress } from '../gate/types.ts'
import { toChecksumAddress } from '../../identity/index.ts'
import type { HotspotDeps } from '../ports.ts'
import { boundDevices, bytesLeft, isOver, isUsable, settle, totalMsLeft } from '../session/index.ts'
import type { Allotment, Session } from '../session/index.ts'
import { keptSessions, keyOf } from '../wallet/index.ts'
import { findAway, saveAway } from './io/away-table.ts'
import type { AwayRow } from './io/away-table.ts'
import type { UsedAway, WalkingGuest, WalkingSession } from './ports.ts'

/** Other boxes' last words may come so late; after that a session of which nothing is left is over. */
const LAST_WORDS_MS = 660_000
const SWEEP_MS = 60_000
/** What the books hold exactly; more bytes than any session has. */
const MOST_BYTES = 2n ** 50n
const MOST_SECONDS = 2 ** 31
const MINUTE_MS = 60_000n
const NEVER: AwayRow = { counter: 0, holder: null, spent: { seconds: 0, bytes: 0n } }

export interface AwayParts {
  readonly live: LiveSessions
  readonly lanes: Lanes
  readonly keeper: Keeper
  readonly metering: Metering
  readonly opening: Opening
}

/** Of whoever shows this key. */
export const hashOfKey = (address: string): Hash => hashOf('key', bytesOf(address.toLowerCase() as Address))
/** Of whoever shows the code of this voucher. */
export const hashOfVoucher = (id: string): Hash => hashOf('voucher', utf8(id))

function hashOf(kind: string, bytes: Uint8Array): Hash {
  return hexOf(new Uint8Array(createHash('sha256').update(`meshbox bearer ${kind}\0`).update(bytes).digest()))
}

export class AwaySessions {
  readonly #deps: HotspotDeps
  readonly #parts: AwayParts
  readonly #self: Address
  readonly #emptySinceMs = new Map<string, number>()
  #cancel: Cancel = () => undefined

  constructor(deps: HotspotDeps, parts: AwayParts) {
    this.#deps = deps
    this.#parts = parts
    this.#self = deps.signer.address.toLowerCase() as Address
  }

  start(): void {
    this.#cancel = this.#deps.timers.every(SWEEP_MS, () => this.#sweep())
  }

  stop(): void {
    this.#cancel()
  }

  find(guest: WalkingGuest): WalkingSession | null {
    const { live } = this.#parts
    if ('key' in guest) {
      const address = toChecksumAddress(guest.key)
      const ids = this.#deps.store.read((tx) => keptSessions(tx, address))
      return ids.map((id) => this.find({ sessionId: id, isByKey: true })).find((found) => found !== null) ?? null
    }
    const session = 'mac' in guest ? live.ofDevice(guest.mac) : live.get(guest.sessionId)
    if (session === undefined || !walks(session, 'isByKey' in guest && guest.isByKey)) return null
    const found = this.#describe(session)
    return found.leftSeconds === 0 || found.leftBytes === 0n ? null : found
  }

  isOver(sessionId: string): boolean {
    const session = this.#parts.live.get(sessionId)
    return session === undefined || isOver(session)
  }

  /** The gate is shut for the device before, and not opened for this one: it is elsewhere. */
  rebind(sessionId: string, mac: MacAddress): Promise<void> {
    const { keeper, live, metering } = this.#parts
    return this.#inLane(sessionId, async (session) => {
      const isDone = session === undefined || boundDevices(session).every((device) => device.mac === mac)
      if (isDone) return
      if (live.ofDevice(mac) !== undefined && live.ofDevice(mac)?.id !== sessionId) throw new MeshBoxError('conflict', 'this device has another session here', { code: 'session-running' })
      const charged = await metering.charge(session)
      if (isOver(charged)) return
      const stopped = charged.state === 'active' ? await keeper.perform(charged, { type: 'pause', at: keeper.now(), reason: 'restart' }) : charged
      const device = { mac, ip4: null, seen: await metering.baseline(mac) }
      let now = await keeper.perform(stopped, { type: 'bind', at: keeper.now(), device, byTicket: false })
      for (const former of boundDevices(now)) if (former.mac !== mac) now = await keeper.perform(now, { type: 'unbind', at: keeper.now(), mac: former.mac })
    })
  }

  handOver(sessionId: string, to: Address, counter: number): Promise<WalkingSession> {
    const { keeper, metering } = this.#parts
    return this.#inLane(sessionId, async (session) => {
      if (session === undefined) return this.#describeOver(sessionId)
      const row = this.#rowOf(sessionId)
      // Asked again after a crash.
      if (session.pauseReason === 'away' && row.counter >= counter) return this.#describe(session)
      const charged = await metering.charge(session)
      if (isOver(charged)) return this.#describe(charged)
      const note = { ...row, counter, holder: to }
      if (charged.state === 'paused' && charged.pauseReason === 'away') {
        await this.#deps.store.turn((tx) => saveAway(tx, sessionId, note))
        return this.#describe(charged)
      }
      const gone = await keeper.perform(charged, { type: 'pause', at: keeper.now(), reason: 'away' }, (tx, written) => {
        saveAway(tx, sessionId, note)
        return written
      })
      return this.#describe(gone)
    })
  }

  takeBack(sessionId: string, counter: number, spent: UsedAway): Promise<void> {
    const { keeper, opening } = this.#parts
    return this.#inLane(sessionId, async (session) => {
      if (session === undefined) return
      const row = this.#rowOf(sessionId)
      if (counter < row.counter) throw new MeshBoxError('conflict', 'the session has moved on since', { code: 'old-move' })
      const back = await this.#charge(session, row, { counter, holder: null, spent }, true)
      if (back.state !== 'paused' || back.pauseReason !== 'restart') return
      try {
        await opening.withPlace(sessionId, () => opening.open(back, 'service'))
      } catch {
        // It is owed an open gate, on disk: the renewal goes on trying, as after a restart.
        keeper.onTrouble()
      }
    })
  }

  setSpentElsewhere(sessionId: string, spent: UsedAway): Promise<void> {
    return this.#inLane(sessionId, async (session) => {
      if (session === undefined) return
      const row = this.#rowOf(sessionId)
      await this.#charge(session, row, { ...row, spent }, false)
    })
  }

  /** No other box is asked any more: what is known to have been used there is charged already. */
  comeHome(sessionId: string): Promise<void> {
    const { counter, spent } = this.#rowOf(sessionId)
    return this.takeBack(sessionId, counter, spent)
  }

  #charge(session: Session, before: AwayRow, after: AwayRow, isBack: boolean): Promise<Session> {
    const { keeper } = this.#parts
    const spent = { seconds: Math.min(after.spent.seconds, MOST_SECONDS), bytes: after.spent.bytes < MOST_BYTES ? after.spent.bytes : MOST_BYTES }
    const ms = (spent.seconds - before.spent.seconds) * 1000
    const bytes = Number(spent.bytes - before.spent.bytes)
    return keeper.perform(session, { type: 'used-away', at: keeper.now(), ms, bytes, isBack }, (tx, written) => {
      saveAway(tx, session.id, { ...after, spent })
      return written
    })
  }

  #rowOf(sessionId: string): AwayRow {
    return this.#deps.store.read((tx) => findAway(tx, sessionId)) ?? NEVER
  }

  #inLane<T>(sessionId: string, task: (session: Session | undefined) => Promise<T>): Promise<T> {
    return this.#parts.lanes.run([sessionLane(sessionId)], () => task(this.#parts.live.get(sessionId)))
  }

  #describe(session: Session): WalkingSession {
    const { store, clock, config } = this.#deps
    const now = settle(session, clock.boottimeMs())
    const usable = now.allotments.filter(isUsable)
    const isOpenEnded = isOver(now) || usable.length === 0
    const { counter, holder } = this.#rowOf(session.id)
    const key = store.read((tx) => keyOf(tx, session.id))
    const voucher = now.allotments.find(({ source, bearer }) => source === 'voucher' && bearer !== null)?.bearer ?? null
    return {
      seller: this.#self,
      sessionId: session.id,
      mac: (boundDevices(now)[0] ?? now.devices.at(-1))?.mac ?? '00:00:00:00:00:00',
      bearerHash: key !== null ? hashOfKey(key) : voucher !== null ? hashOfVoucher(voucher) : hashOf('nobody', utf8(session.id)),
      leftSeconds: isOpenEnded ? 0 : Math.floor((totalMsLeft(usable) ?? 0) / 1000),
      leftBytes: isOpenEnded ? 0n : bytesInAll(usable),
      ...this.#worthOf(usable),
      counter,
      holder: (holder as Address | null) ?? this.#self,
      proofAfterSeconds: key === null ? null : config().mesh.roamSecondsWithoutKey,
    }
  }

  #describeOver(sessionId: string): WalkingSession {
    const stored = this.#deps.store.read((tx) => findSession(tx, sessionId))
    if (stored === null) throw new MeshBoxError('not-found', 'there is no such session', { code: 'no-session' })
    return this.#describe({ ...stored.session, state: 'ended' })
  }

  /** Never more than was paid for it, where both are in one token. */
  #worthOf(usable: readonly Allotment[]): { readonly unitsPerMinute: bigint; readonly token: Address | null } {
    const { mesh, photon } = this.#deps.config()
    const token = (mesh.token?.toLowerCase() ?? null) as Address | null
    if (token === null) return { unitsPerMinute: 0n, token }
    if (photon.streamToken?.toLowerCase() !== token) return { unitsPerMinute: mesh.roamPricePerMinute, token }
    const worths = usable.map(({ price, grantedMs }) => (grantedMs === null ? 0n : (price * MINUTE_MS) / BigInt(grantedMs)))
    return { unitsPerMinute: worths.reduce((least, worth) => (worth < least ? worth : least), worths[0] ?? 0n), token }
  }

  #sweep(): void {
    const { live, keeper } = this.#parts
    const nowMs = this.#deps.clock.boottimeMs()
    const isEmpty = (session: Session): boolean => session.state === 'paused' && session.pauseReason === 'away' && !session.allotments.some(isUsable)
    for (const id of this.#emptySinceMs.keys()) {
      const session = live.get(id)
      if (session === undefined || !isEmpty(session)) this.#emptySinceMs.delete(id)
    }
    for (const session of live.all()) {
      if (!isEmpty(session)) continue
      const sinceMs = this.#emptySinceMs.get(session.id) ?? nowMs
      this.#emptySinceMs.set(session.id, sinceMs)
      if (nowMs - sinceMs < LAST_WORDS_MS) continue
      keeper.inBackground(session.id, 'ending a session that was used up elsewhere', async (now) => {
        if (isEmpty(now)) await keeper.perform(now, { type: 'end', at: keeper.now(), reason: 'time-used' })
      })
    }
  }
}

/** Paused by hand it stays: nobody's time begins to run again because his phone is carried past another box. His key says that it shall. */
function walks(session: Session, isByKey: boolean): boolean {
  const isWalking = session.state === 'active' || (session.state === 'paused' && ((isByKey && session.pauseReason === 'guest') || session.pauseReason === 'away' || session.pauseReason === 'idle' || session.pauseReason === 'restart'))
  const usable = session.allotments.filter(isUsable)
  const byBytes = usable.filter(({ grantedBytes }) => grantedBytes !== null).length
  return (
    isWalking &&
    boundDevices(session).length === 1 &&
    usable.length > 0 &&
    usable.every(({ source, grantedMs }) => (source === 'voucher' || source === 'owner') && grantedMs !== null) &&
    // One after the other: what may be used of bytes cannot be said in one number where only some have a bound.
    (byBytes === 0 || byBytes === usable.length)
  )
}

function bytesInAll(usable: readonly Allotment[]): bigint | null {
  let sum = 0n
  for (const allotment of usable) {
    const left = bytesLeft(allotment)
    if (left === null) return null
    sum += BigInt(left)
  }
  return sum
}
