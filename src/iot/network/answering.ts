/**
 * When a device is spoken to: in the windows after its frame, and, class C, whenever something waits. What is said is decided as late as
 * possible, in the turn that takes the counter, so that an order which a rule gave on the very reading still goes out in its windows.
 */
import { asError, momentOf } from '../../base/index.ts'
import type { Cancel } from '../../base/index.ts'
import type { ReadTx, Tx } from '../../store/index.ts'
import type { DownCommand } from '../lorawan/index.ts'
import type { Copy, Device, Eui, FrameId, Heard, QueueItem, TxAck } from '../ports.ts'
import { lastWindowMs, makeAnswer, windowsAfter, windowsNow } from './answer.ts'
import type { Answer, OpenWindow } from './answer.ts'
import { answeringCopy } from './joins.ts'
import { CID, asked, notAsked, requestsFor } from './mac-requests.ts'
import { expired, given, headOf, heardAfter, tried } from './queue.ts'
import { ciphersOf } from './room.ts'
import type { Room } from './room.ts'
import { unawaited } from './session.ts'
import type { NetworkSession } from './session.ts'

/** After a downlink the device is left alone so long: it may be answering, or still listening to what another gateway sends. */
const CLASS_C_LOCK_MS = 5_000
/** A class C device acknowledges at once; its frame may be lost. */
const CLASS_C_ACK_MS = 10_000
/** There was nothing to say; what came meanwhile need not wait long. */
const CLASS_C_IDLE_MS = 1_000
const CLASS_C_EXPIRES_MS = 10_000
const HEADER_BYTES = 13
const MOST_FOPTS = 15

/** What a frame of the device asks to be answered with. */
export interface Wanted {
  readonly hasAck: boolean
  readonly mustAnswer: boolean
  readonly answers: readonly DownCommand[]
  /** CIDs of what the device may be answering again and again until it hears something: the same is not asked now. */
  readonly repeating: ReadonlySet<number>
}

interface Pending {
  /** What it answers; null: nothing, a class C device is spoken to. */
  readonly frame: FrameId | null
  readonly gateway: Eui
  readonly id: number
  /** Something waits for the device since: it was queued, or came back. */
  hasNews: boolean
}

/** The last frame of a device of class A to which nothing was to be said: what is queued before its windows are over still goes there. */
interface Spoke {
  session: number
  frame: FrameId
  copy: Copy
  frequencyHz: number
  dataRate: number
  /** Its windows are over, or used. */
  expiresMs: number
}

type Up = Readonly<Pick<Spoke, 'frame' | 'copy' | 'frequencyHz' | 'dataRate'>>

interface Made {
  readonly answer: Answer
  readonly item: QueueItem | null
  readonly number: number
}

/** What is asked only after a frame that shows that the device is not still answering what was asked before. */
const REPEATED_CIDS: ReadonlySet<number> = new Set([CID.rxParam, CID.rxTiming, CID.txParam])
const NOTHING_WANTED: Wanted = { hasAck: false, mustAnswer: false, answers: [], repeating: REPEATED_CIDS }
const NOTHING_OWED: Wanted = { ...NOTHING_WANTED, repeating: new Set() }
/** What a gateway had no room or no airtime for is not asked with the very next frame again. */
const ASK_AGAIN_MS = 60_000
/** Devices that spoke last; a box has no more. */
const MOST_SPOKE = 10_000
/** A frame said once more: it was understood the first time, and only its ACK is missing. */
export const ACK_WANTED: Wanted = { hasAck: true, mustAnswer: true, answers: [], repeating: REPEATED_CIDS }

export class Answering {
  readonly #room: Room
  /** The order that waits, or is on its way, of each device. */
  readonly #pending = new Map<Eui, Pending>()
  /** Class C: a timer per device, for its lock, its ACK or its next try. */
  readonly #later = new Map<Eui, Cancel>()
  readonly #spoke = new Map<Eui, Spoke>()
  /** Devices that are not asked anything before, because a question was refused. Oldest first. */
  readonly #askAfterMs = new Map<Eui, number>()

  #isStopped = false

  constructor(room: Room) {
    this.#room = room
  }

  isBusy(devEui: Eui): boolean {
    return this.#pending.has(devEui)
  }

  /** After a frame of the device, whose state is on disk. `isWaiting`: something was queued for it by then. */
  after(session: NetworkSession, deviceClass: Device['deviceClass'], heard: Heard, dataRate: number, wanted: Wanted, isWaiting: boolean): void {
    const copy = answeringCopy(this.#room, heard)
    const before = this.#pending.get(session.devEui)
    // A copy that came after the collection: the answer to the first one is still on its way.
    if (before?.frame === heard.id) return
    // Its windows are over: the device has spoken again.
    if (before !== undefined) this.#room.desk.withdraw(before.gateway, before.id)
    // Most frames end here. What is asked besides can wait for another one: half of a gateway's places are for those who are owed an answer.
    const isOwed = wanted.hasAck || wanted.mustAnswer || isWaiting
    if (deviceClass === 'A' && !isOwed && !(this.#mayAsk(session.devEui, copy) && requestsFor(this.#room.plan, session).length > 0)) return this.#noteSpoke(session, heard, copy, dataRate)
    this.#answer(session, deviceClass, { frame: heard.id, copy, frequencyHz: heard.frequencyHz, dataRate }, wanted)
  }

  #mayAsk(devEui: Eui, { gateway, arrivedMs }: Copy): boolean {
    const afterMs = this.#askAfterMs.get(devEui)
    if (afterMs !== undefined && arrivedMs < afterMs) return false
    return this.#room.desk.hasPlaceToAsk(gateway)
  }

  #noteRefused(devEui: Eui): void {
    this.#askAfterMs.delete(devEui)
    this.#askAfterMs.set(devEui, this.#room.clock.boottimeMs() + ASK_AGAIN_MS)
    if (this.#askAfterMs.size > MOST_SPOKE) this.#askAfterMs.delete(this.#askAfterMs.keys().next().value ?? devEui)
  }

  #noteSpoke({ devEui, number, rxDelaySeconds }: NetworkSession, { id: frame, frequencyHz }: Heard, copy: Copy, dataRate: number): void {
    const expiresMs = copy.arrivedMs + lastWindowMs(rxDelaySeconds)
    const known = this.#spoke.get(devEui)
    if (known === undefined) {
      this.#spoke.set(devEui, { session: number, frame, copy, frequencyHz, dataRate, expiresMs })
      if (this.#spoke.size > MOST_SPOKE) this.#spoke.delete(this.#spoke.keys().next().value ?? devEui)
      return
    }
    known.session = number
    known.frame = frame
    known.copy = copy
    known.frequencyHz = frequencyHz
    known.dataRate = dataRate
    known.expiresMs = expiresMs
  }

  /** Something waits, and there was nothing to say when the device spoke: it still goes out in the windows of that frame. False: they are over. */
  #answerLate(devEui: Eui): boolean {
    const { store, rows, clock } = this.#room
    const spoke = this.#spoke.get(devEui)
    if (spoke === undefined || spoke.expiresMs <= clock.boottimeMs()) return false
    const session = store.read((tx) => (rows.device(tx, devEui)?.deviceClass === 'A' ? rows.session(tx, devEui) : null))
    if (session === null || session.number !== spoke.session) return false
    this.#answer(session, 'A', spoke, NOTHING_OWED)
    return true
  }

  /** In the windows after that frame. */
  #answer(session: NetworkSession, deviceClass: Device['deviceClass'], up: Up, wanted: Wanted): void {
    const spoke = this.#spoke.get(session.devEui)
    if (spoke !== undefined) spoke.expiresMs = 0
    const windows = windowsAfter(this.#room.plan, session, up)
    this.#place(session, deviceClass, up.frame, up.copy.gateway, windows, up.copy.arrivedMs + lastWindowMs(session.rxDelaySeconds), wanted)
  }

  /** Something waits for a device: in the windows of its last frame, if they are not over; a class C device gets it now. */
  push(devEui: Eui): void {
    const { store, rows, radio, clock } = this.#room
    const underWay = this.#pending.get(devEui)
    if (underWay !== undefined) underWay.hasNews = true
    if (underWay !== undefined || this.#later.has(devEui) || this.#answerLate(devEui)) return
    const session = store.read((tx) => {
      const device = rows.device(tx, devEui)
      const found = rows.session(tx, devEui)
      const isWaiting = rows.head(tx, devEui) !== null
      return device?.deviceClass === 'C' && !device.isDisabled && isWaiting && found?.awaitingAck === null ? found : null
    })
    const gateway = radio.gateways().find((known) => known.id === session?.lastGateway)
    // A device that was never heard is not known to be anywhere; a gateway that is away says when it is back.
    if (session === null || gateway?.isOnline !== true) return
    this.#place(session, 'C', null, gateway.id, windowsNow(this.#room.plan, session), clock.boottimeMs() + CLASS_C_EXPIRES_MS, NOTHING_WANTED)
  }

  /** All that waits: at the start, and when a gateway is back. */
  pushAll(): void {
    const { store, rows } = this.#room
    for (const devEui of store.read((tx) => rows.waiting(tx)).keys()) this.push(devEui)
  }

  /** A confirmed downlink of the run before, to a class C device, which nobody waits for any more. */
  resume(session: NetworkSession): void {
    if (session.awaitingAck !== null) this.#awaitAck(session.devEui, session.awaitingAck.queueId, session.awaitingAck.fCntDown)
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#later.values()) cancel()
    this.#later.clear()
  }

  #place(session: NetworkSession, deviceClass: Device['deviceClass'], frame: FrameId | null, gateway: Eui, windows: readonly OpenWindow[], expiresMs: number, wanted: Wanted): void {
    const { desk, ids, store, rows, plan, events } = this.#room
    if (this.#isStopped) return
    const head = store.read((tx) => rows.head(tx, session.devEui))
    const pending: Pending = { frame, gateway, id: ids.next(), hasNews: false }
    // Only frames of the device and what is queued change the answer, and both are told here: nobody has to look at the disk again before the window.
    const hasSomething = wanted.hasAck || wanted.mustAnswer || head !== null || requestsFor(plan, session).length > 0
    const changed: QueueItem[] = []
    let made: Made | null = null
    this.#pending.set(session.devEui, pending)
    void desk
      .place({
        id: pending.id,
        gateway,
        windows,
        likelyBytes: HEADER_BYTES + (head === null ? MOST_FOPTS : head.payload.length),
        purpose: wanted.hasAck || wanted.mustAnswer ? 'ack' : head === null ? 'mac' : 'data',
        priority: 0,
        tenant: null,
        devEui: session.devEui,
        expiresMs,
        isWanted: () => hasSomething || pending.hasNews,
        prepare: (tx) => {
          made = null
          changed.length = 0
          made = this.#make(tx, session, windows, wanted, changed)
          return made?.answer.phys ?? null
        },
        undone: () => {
          made = null
          changed.length = 0
        },
        settled: (tx, ack) => {
          this.#settle(tx, session, made, ack, changed)
        },
        // Why it failed is kept with what waits.
        keepsFailure: () => head !== null || pending.hasNews,
      })
      .then((ack) => {
        if (ack !== null && ack.sent === null && !wanted.hasAck && !wanted.mustAnswer && head === null && deviceClass === 'A') this.#noteRefused(session.devEui)
        const newest = this.#pending.get(session.devEui)
        if (newest === pending) {
          this.#pending.delete(session.devEui)
          // The same, where nothing was to be said to that frame by itself.
          if (!this.#isStopped && (ack !== null || pending.hasNews) && store.read((tx) => rows.head(tx, session.devEui)) !== null) this.#answerLate(session.devEui)
        }
        // On its way when the device spoke again: what the gateway refused waits now, and is news to the next answer.
        else if (newest !== undefined && ack !== null) newest.hasNews = true
        if (this.#isStopped) return
        events.queue(lastOfEach(changed))
        if (deviceClass === 'C' || pending.hasNews) this.#afterwards(session.devEui, ack, made)
      })
      .catch((error: unknown) => this.#room.log.error('what follows a downlink could not be seen to', { devEui: session.devEui, error: asError(error) }))
  }

  /** In the turn: what there is to say, with its counter taken. Null: nothing. */
  #make(tx: Tx, placed: NetworkSession, windows: readonly OpenWindow[], wanted: Wanted, changed: QueueItem[]): Made | null {
    const { rows, plan, clock } = this.#room
    const session = rows.session(tx, placed.devEui)
    // It joined again meanwhile: what was to be said was for the session before.
    if (session === null || session.number !== placed.number || rows.device(tx, placed.devEui)?.isDisabled !== false) return null
    const items = rows.queue(tx, session.devEui)
    for (const item of expired(items, clock)) this.#save(tx, item, changed)
    const waiting = items.filter((item) => item.state === 'queued' && !changed.some((gone) => gone.queueId === item.queueId))
    // One that needs an ACK at a time: the bit does not say which one it is for.
    const head = session.awaitingAck === null ? headOf(waiting) : null
    const requests = requestsFor(plan, session).filter(({ cid }) => !wanted.repeating.has(cid))
    if (!wanted.mustAnswer && !wanted.hasAck && head === null && requests.length === 0) return null
    const answer = makeAnswer(plan, session, ciphersOf(this.#room, tx, session), windows, { hasAck: wanted.hasAck, answers: wanted.answers, requests, item: head, hasMore: waiting.length > 1 })
    if (answer === null) return null
    const isSent = head !== null && answer.hasItem
    if (head !== null) this.#save(tx, isSent ? given(head) : tried(head, notTried(windows.length), momentOf(clock)), changed)
    const answered = wanted.hasAck && session.lastUplink !== null ? { ...session.lastUplink, wasAnswered: true } : session.lastUplink
    const awaitingAck = isSent && head.isConfirmed ? { queueId: head.queueId, fCntDown: answer.fCnt } : session.awaitingAck
    const counted = answer.isByApplication ? { aFCntDown: answer.fCnt + 1 } : { fCntDown: answer.fCnt + 1 }
    rows.saveSession(tx, asked({ ...session, ...counted, lastUplink: answered, awaitingAck }, answer.requests))
    return { answer, item: isSent ? head : null, number: session.number }
  }

  /** In the turn that stores the end. Not sent: what was counted as said was not said; the counter stays used. */
  #settle(tx: Tx, placed: NetworkSession, made: Made | null, ack: TxAck, changed: QueueItem[]): void {
    const { rows, clock } = this.#room
    const session = rows.session(tx, placed.devEui)
    const wasCounted = made !== null && session?.number === placed.number && (made.answer.isByApplication ? session.aFCntDown : session.fCntDown) > made.answer.fCnt
    // Undone with the turn that found no window free.
    if (!wasCounted) changed.length = 0
    const isMine = session !== null && session.number === placed.number
    // The gateway was away, or the slot lost, before anything was made: the owner sees that on what waits first.
    const itemId = made === null ? (ack.sent === null && isMine && session.awaitingAck === null ? rows.head(tx, placed.devEui)?.queueId : undefined) : made.item?.queueId
    const item = itemId === undefined ? null : rows.queueItem(tx, itemId)
    if (item !== null) this.#save(tx, tried(item, ack, momentOf(clock)), changed)
    if (ack.sent !== null || made === null || session === null || !wasCounted) return
    const unasked = notAsked(session, made.answer.requests)
    const isAwaited = made.item !== null && session.awaitingAck?.queueId === made.item.queueId
    rows.saveSession(tx, {
      // It may have been on the air after all.
      ...(isAwaited && typeof ack.doubtful === 'number' ? unawaited(unasked) : unasked),
      awaitingAck: isAwaited ? null : unasked.awaitingAck,
      lastUplink: unasked.lastUplink === null ? null : { ...unasked.lastUplink, wasAnswered: false },
    })
  }

  #save(tx: Tx, item: QueueItem, changed: QueueItem[]): void {
    this.#room.rows.saveQueueItem(tx, item)
    changed.push(item)
  }

  /** Class C: what still waits follows, after a while. */
  #afterwards(devEui: Eui, ack: TxAck | null, made: Made | null): void {
    const { store, rows } = this.#room
    const device = store.read((tx: ReadTx) => rows.device(tx, devEui))
    if (device?.deviceClass !== 'C' || this.#pending.has(devEui)) return
    if (ack?.sent !== null && ack !== null && made?.item?.isConfirmed === true) return this.#awaitAck(devEui, made.item.queueId, made.answer.fCnt)
    this.#wait(devEui, ack === null ? CLASS_C_IDLE_MS : CLASS_C_LOCK_MS, () => this.push(devEui))
  }

  #awaitAck(devEui: Eui, queueId: number, fCntDown: number): void {
    this.#wait(devEui, CLASS_C_ACK_MS, () => {
      const { store, rows, log, events } = this.#room
      store
        .turn((tx) => {
          const session = rows.session(tx, devEui)
          if (session === null || session.awaitingAck?.queueId !== queueId || session.awaitingAck.fCntDown !== fCntDown) return null
          const item = rows.queueItem(tx, queueId)
          rows.saveSession(tx, unawaited(session))
          if (item === null) return null
          const next = heardAfter(item, false)
          rows.saveQueueItem(tx, next)
          return next
        })
        .then((item) => {
          events.queue(item === null ? [] : [item])
          this.push(devEui)
        })
        .catch((error: unknown) => log.error('a missing ACK could not be stored', { devEui, error: asError(error) }))
    })
  }

  #wait(devEui: Eui, ms: number, run: () => void): void {
    this.#later.get(devEui)?.()
    const cancel = this.#room.timers.after(ms, () => {
      this.#later.delete(devEui)
      run()
    })
    this.#later.set(devEui, cancel)
  }
}

/** It fits in none of the windows at the device's present data rate. */
function notTried(windows: number): TxAck {
  return { id: 0, gateway: '', statuses: Array.from({ length: windows }, () => 'IGNORED'), sent: null, onAirUs: 0 }
}

function lastOfEach(changed: readonly QueueItem[]): readonly QueueItem[] {
  return [...new Map(changed.map((item) => [item.queueId, item])).values()]
}
