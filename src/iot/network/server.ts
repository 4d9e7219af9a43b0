/**
 * The network server of the box: one frame in, to its end. A frame is matched outside a turn, because trying keys takes time; the turn then
 * judges its counter once more against what is on disk, stores counter, MAC state, queue and log row together, and only after that
 * anybody hears of it. Frames that are matched by then share the turn.
 */
import { MeshBoxError, asError, inputError, momentOf } from '../../base/index.ts'
import type { Cancel, Moment } from '../../base/index.ts'
import type { ReadTx, Tx } from '../../store/index.ts'
import { dataRateOf, decodeFrame, maxPayloadBytes, openData, readUpCommands } from '../lorawan/index.ts'
import type { DataFrame, Frame } from '../lorawan/index.ts'
import type { Device, DownlinkDesk, Eui, Heard, JoinEvent, NetworkServer, QueueItem, Reading, Verdict } from '../ports.ts'
import { ACK_WANTED } from './answering.ts'
import type { Answering, Wanted } from './answering.ts'
import { circumstancesOf } from './circumstances.ts'
import { takeJoin } from './joins.ts'
import { hasRekeyInd } from './mac-answers.ts'
import { matchSession } from './match.ts'
import type { Match } from './match.ts'
import { checkRoom, expired, heardAfter, queueAfterJoin } from './queue.ts'
import { takeRejoin } from './rejoins.ts'
import { ciphersOf, gpsTimeOf } from './room.ts'
import type { Room } from './room.ts'
import type { Candidate, KeylessDevice } from './rows.ts'
import { unawaited } from './session.ts'
import type { NetworkSession } from './session.ts'
import { takeRepetition, takeUplink } from './uplink.ts'

/** Codes tried in one turn of the event loop. */
const SESSIONS_AT_ONCE = 64
const MOST_PAYLOAD = 242
/** Frames that share a turn: a millisecond or two of work. */
const FRAMES_AT_ONCE = 32
const LAST_PORT = 223
const MOST_ASKER = 64

interface Found {
  readonly session: Candidate
  readonly match: Match
  /** 1.1: the session of its last join, which it has not spoken under before. */
  readonly isOffered: boolean
}

interface Stored {
  readonly verdict: Verdict
  /** Null: it gets no answer. */
  readonly answer: { readonly session: NetworkSession; readonly deviceClass: Device['deviceClass']; readonly wanted: Wanted; readonly isWaiting: boolean } | null
  readonly changed: readonly QueueItem[]
}

/** A frame whose code is right, until its turn. */
interface Waiting {
  readonly heard: Heard
  readonly frame: DataFrame
  readonly dataRate: number
  readonly found: Found
  readonly resolve: (verdict: Verdict) => void
  readonly reject: (error: unknown) => void
}

export class DeviceServer implements NetworkServer {
  /** In the order in which they were heard. */
  #waiting: Waiting[] = []
  /** Turns that were asked for and have not begun. */
  #turnsAsked = 0
  readonly #room: Room
  readonly #answering: Answering
  /** In the turn that stores the counter: the row of the log. */
  readonly #keep: (tx: Tx, reading: Reading) => void

  constructor(room: Room, answering: Answering, keep: (tx: Tx, reading: Reading) => void) {
    this.#room = room
    this.#answering = answering
    this.#keep = keep
  }

  get desk(): DownlinkDesk {
    return this.#room.desk
  }

  onQueue(listener: (item: QueueItem) => void): Cancel {
    return this.#room.events.onQueue(listener)
  }

  onJoin(listener: (event: JoinEvent) => void): Cancel {
    return this.#room.events.onJoin(listener)
  }

  onReading(listener: (reading: Reading) => void): Cancel {
    return this.#room.events.onReading(listener)
  }

  take(heard: Heard): Promise<Verdict> {
    try {
      return this.#take(heard)
    } catch (thrown) {
      return Promise.reject(asError(thrown))
    }
  }

  #take(heard: Heard): Promise<Verdict> {
    // What is played back was taken when it was heard.
    if (heard.isLate) return Promise.resolve({ kind: 'refused', devEui: null, why: 'played back: it has no windows and no place in the order of counters' })
    this.#room.desk.heard(heard)
    let frame: Frame
    try {
      frame = decodeFrame(heard.phy)
    } catch (thrown) {
      if (thrown instanceof MeshBoxError && thrown.kind === 'input') return Promise.resolve({ kind: 'refused', devEui: null, why: thrown.message })
      throw thrown
    }
    const dataRate = dataRateOf(this.#room.plan.region, heard.modulation, 'up')
    if (dataRate === null || heard.copies.length === 0) return Promise.resolve({ kind: 'unknown' })
    if (frame.type === 'join-request') return takeJoin(this.#room, heard, frame, dataRate)
    if (frame.type === 'rejoin-request') return takeRejoin(this.#room, heard, frame, dataRate)
    return frame.type === 'data' && frame.direction === 'up' ? this.#takeData(heard, frame, dataRate) : Promise.resolve({ kind: 'unknown' })
  }

  /** Errors: not-found, input, limit. */
  async enqueue(order: Pick<QueueItem, 'devEui' | 'fPort' | 'payload' | 'isConfirmed' | 'asker' | 'expiresAt'>): Promise<QueueItem> {
    const { store, rows, clock, events } = this.#room
    const { devEui, fPort, isConfirmed, asker, expiresAt } = order
    if (!Number.isInteger(fPort) || fPort < 1 || fPort > LAST_PORT) throw inputError('fport', fPort, `1 to ${LAST_PORT}`)
    if (asker.length < 1 || asker.length > MOST_ASKER) throw inputError('asker', asker, `1 to ${MOST_ASKER} characters`)
    const payload = new Uint8Array(order.payload.subarray(0, MOST_PAYLOAD + 1))
    const { item, changed } = await store.turn((tx) => {
      if (rows.device(tx, devEui) === null) throw new MeshBoxError('not-found', `no device ${devEui} is registered`, { code: 'device-unknown', field: 'dev-eui', value: devEui })
      const most = this.#mostBytes(rows.session(tx, devEui))
      if (payload.length > most) throw inputError('payload', `${order.payload.length} bytes`, `at most ${most} bytes at the device’s data rate`)
      const items = rows.queue(tx, devEui)
      const over = expired(items, clock)
      for (const gone of over) rows.saveQueueItem(tx, gone)
      checkRoom(items.filter((known) => !over.some((gone) => gone.queueId === known.queueId)))
      return { item: rows.addQueueItem(tx, { devEui, fPort, payload, isConfirmed, asker, expiresAt, state: 'queued', tries: [] }), changed: over }
    })
    events.queue([...changed, item])
    this.#answering.push(devEui)
    return item
  }

  #takeData(heard: Heard, frame: DataFrame, dataRate: number): Promise<Verdict> {
    const found = this.#findFirst(heard, frame, dataRate, '')
    if ('match' in found) return this.#takeFound(heard, frame, dataRate, found)
    const last = found.length < SESSIONS_AT_ONCE ? undefined : found.at(-1)
    return last === undefined ? this.#takeOther(heard, frame, dataRate, null) : this.#findRest(heard, frame, dataRate, last.devEui).then((rest) => this.#takeOther(heard, frame, dataRate, rest))
  }

  #takeOther(heard: Heard, frame: DataFrame, dataRate: number, found: Found | null): Promise<Verdict> {
    const other = found ?? this.#findOffered(heard, frame, dataRate)
    return other === null ? Promise.resolve({ kind: 'unknown' }) : this.#takeFound(heard, frame, dataRate, other)
  }

  #takeFound(heard: Heard, frame: DataFrame, dataRate: number, found: Found): Promise<Verdict> {
    const { session, match } = found
    if (match.kind === 'gap') return Promise.resolve({ kind: 'refused', devEui: session.devEui, why: `counter ${match.fCnt} is ${match.fCnt - session.fCntUp} ahead of what is expected; 16383 are allowed` })
    return new Promise((resolve, reject) => {
      this.#waiting.push({ heard, frame, dataRate, found, resolve, reject })
      if (this.#waiting.length > this.#turnsAsked * FRAMES_AT_ONCE) this.#askTurn()
    })
  }

  #askTurn(): void {
    let taken: readonly Waiting[] | null = null
    const begun = (): readonly Waiting[] => {
      if (taken === null) this.#turnsAsked--
      taken ??= this.#waiting.splice(0, FRAMES_AT_ONCE)
      return taken
    }
    this.#turnsAsked++
    this.#room.store
      .turn((tx) => {
        const at = momentOf(this.#room.clock)
        return begun().map((waiting) => this.#judge(tx, waiting, at))
      })
      .then(
        (stored) => begun().forEach((waiting, index) => this.#end(waiting, stored[index])),
        (error: unknown) => this.#failed(begun(), error),
      )
      .catch((error: unknown) => this.#room.log.error('frames that are on disk did not get everywhere', { error: asError(error) }))
  }

  /** One that throws takes no other with it. */
  #failed(taken: readonly Waiting[], error: unknown): void {
    // Of the disk: each would fail as all did.
    const isAlone = taken.length === 1 || (error instanceof MeshBoxError && error.kind === 'unavailable')
    for (const waiting of taken) {
      if (isAlone) waiting.reject(error)
      else this.#room.store.turn((tx) => this.#judge(tx, waiting, momentOf(this.#room.clock))).then((stored) => this.#end(waiting, stored), waiting.reject)
    }
  }

  /** It is on disk. */
  #end({ heard, dataRate, resolve }: Waiting, stored: Stored | undefined): void {
    if (stored === undefined) return
    const { changed, verdict, answer } = stored
    if (changed.length > 0) this.#room.events.queue(changed)
    if (verdict.kind === 'reading') this.#room.events.reading(verdict.reading)
    if (answer !== null) this.#answer(answer, heard, dataRate)
    resolve(verdict)
  }

  /** The frame is taken, whatever becomes of the answer. */
  #answer({ session, deviceClass, wanted, isWaiting }: NonNullable<Stored['answer']>, heard: Heard, dataRate: number): void {
    try {
      this.#answering.after(session, deviceClass, heard, dataRate, wanted, isWaiting)
    } catch (thrown) {
      this.#room.log.error('a frame is not answered', { devEui: session.devEui, error: asError(thrown) })
    }
  }

  /** The match, or those that were tried. */
  #findFirst(heard: Heard, frame: DataFrame, dataRate: number, after: Eui): Found | readonly Candidate[] {
    const { store, rows } = this.#room
    return store.read((tx): Found | readonly Candidate[] => {
      const sessions = rows.candidates(tx, frame.devAddr, after, SESSIONS_AT_ONCE)
      return this.#match(tx, sessions, heard, frame, dataRate, false) ?? sessions
    })
  }

  /** Null: nobody's here. A breath before each piece. */
  async #findRest(heard: Heard, frame: DataFrame, dataRate: number, tried: Eui): Promise<Found | null> {
    for (let after = tried; ; ) {
      await new Promise<void>((next) => this.#room.timers.after(0, next))
      const found = this.#findFirst(heard, frame, dataRate, after)
      if ('match' in found) return found
      if (found.length < SESSIONS_AT_ONCE) return null
      after = found.at(-1)?.devEui ?? ''
    }
  }

  #findOffered(heard: Heard, frame: DataFrame, dataRate: number): Found | null {
    const { store, rows } = this.#room
    return store.read((tx) => this.#match(tx, rows.offeredAt(tx, frame.devAddr), heard, frame, dataRate, true))
  }

  #match(tx: ReadTx, sessions: readonly Candidate[], heard: Heard, frame: DataFrame, dataRate: number, isOffered: boolean): Found | null {
    for (const session of sessions) {
      const { devEui, number, fCntUp, allowsCounterReset, session11 } = session
      const ciphers = ciphersOf(this.#room, tx, { devEui, number, is11: session11 !== null })
      const around = circumstancesOf(this.#room.plan, session11, frame, { frequencyHz: heard.frequencyHz, dataRate })
      const match = matchSession(ciphers, heard.phy, frame.fCnt16, fCntUp, allowsCounterReset, around)
      if (match !== null) return { session, match, isOffered }
    }
    return null
  }

  /** In the turn: the counter against what is on disk now. */
  #judge(tx: Tx, { heard, frame, dataRate, found: { session: seen, match, isOffered } }: Waiting, at: Moment): Stored {
    const { rows, plan, clock } = this.#room
    const device = rows.device(tx, seen.devEui)
    const session = isOffered ? rows.offered(tx, seen.devEui) : rows.session(tx, seen.devEui)
    if (device === null || session === null || session.number !== seen.number) return refused(seen.devEui, 'the session ended while the frame was looked at')
    if (device.isDisabled) return refused(seen.devEui, 'disabled by the owner')
    if (match.fCnt === session.fCntUp - 1) return this.#repeat(tx, heard, device, session)
    if (match.fCnt < session.fCntUp && !(match.kind === 'reset' && device.allowsCounterReset))
      return refused(seen.devEui, `counter ${match.fCnt} was used before (${session.fCntUp} is next): a recording played again, or a device that started from 0`)
    let changed: QueueItem[] = []
    if (isOffered) {
      if (!this.#saysRekeyed(tx, session, frame, match.fCnt)) return refused(seen.devEui, 'the first frame under the keys of a join has no RekeyInd, which LoRaWAN 1.1 asks for in each frame until it is confirmed')
      changed = [...this.#takeOffered(tx, device.devEui)]
    }
    const asked = session.awaitingAck === null ? session : this.#acknowledged(tx, session, frame, match, changed)
    // Only who says MAC commands may ask for it.
    const gpsTimeMs = frame.fOpts.length > 0 || frame.fPort === 0 ? gpsTimeOf(heard, clock) : null
    const outcome = takeUplink(plan, device, asked, ciphersOf(this.#room, tx, session), { heard, frame, fCnt: match.fCnt, dataRate, at, gpsTimeMs })
    rows.saveSession(tx, outcome.session)
    if (outcome.reading !== null) this.#keep(tx, outcome.reading)
    const wanted: Wanted = { hasAck: frame.isConfirmed, mustAnswer: outcome.mustAnswer, answers: outcome.answers, repeating: outcome.repeating }
    return { verdict: outcome.reading === null ? { kind: 'mac', devEui: device.devEui } : { kind: 'reading', reading: outcome.reading }, answer: { session: outcome.session, deviceClass: device.deviceClass, wanted, isWaiting: rows.head(tx, device.devEui) !== null }, changed }
  }

  #repeat(tx: Tx, heard: Heard, { deviceClass }: Pick<KeylessDevice, 'deviceClass'>, before: NetworkSession): Stored {
    const { session, mustAnswer } = takeRepetition(before, heard)
    if (mustAnswer) this.#room.rows.saveSession(tx, session)
    return { verdict: { kind: 'repeated', devEui: session.devEui }, answer: mustAnswer ? { session, deviceClass, wanted: ACK_WANTED, isWaiting: false } : null, changed: [] }
  }

  #saysRekeyed(tx: Tx, session: NetworkSession, frame: DataFrame, fCnt: number): boolean {
    const { fOpts, payload } = openData(ciphersOf(this.#room, tx, session), frame, fCnt)
    return hasRekeyInd(readUpCommands(frame.fPort === 0 ? payload : fOpts).commands)
  }

  /** From now on nothing is heard or said under the session before. */
  #takeOffered(tx: Tx, devEui: Eui): readonly QueueItem[] {
    const { rows } = this.#room
    const changed = queueAfterJoin(rows.queue(tx, devEui), rows.session(tx, devEui)?.awaitingAck?.queueId ?? null)
    for (const item of changed) rows.saveQueueItem(tx, item)
    rows.takeOffered(tx, devEui)
    return changed
  }

  /** What became of the confirmed downlink before this frame. */
  #acknowledged(tx: Tx, session: NetworkSession, frame: DataFrame, match: Match, changed: QueueItem[]): NetworkSession {
    const awaited = session.awaitingAck
    if (awaited === null) return session
    // 1.1: the code says which downlink it is for.
    const isAcked = frame.ack && (!session.is11 || match.confFCnt === awaited.fCntDown % 0x1_0000)
    // Still on its way: this frame cannot know of it.
    if (!isAcked && this.#answering.isBusy(session.devEui)) return session
    const item = this.#room.rows.queueItem(tx, awaited.queueId)
    if (item !== null) {
      const next = heardAfter(item, isAcked)
      this.#room.rows.saveQueueItem(tx, next)
      changed.push(next)
    }
    return unawaited(session)
  }

  /** The longer of its two windows at its present data rate. */
  #mostBytes(session: NetworkSession | null): number {
    if (session === null) return MOST_PAYLOAD
    const { region } = this.#room.plan
    const rx1 = region.rx1DataRate(session.dataRate, session.rx1DrOffset, session.hasDownlinkDwell)
    const rates = [rx1, session.rx2DataRate].filter((rate) => region.dataRates[rate]?.isDown === true)
    return Math.max(0, ...rates.map((rate) => maxPayloadBytes(region, rate, 0, session.hasDownlinkDwell)))
  }
}

function refused(devEui: Eui, why: string): Stored {
  return { verdict: { kind: 'refused', devEui, why }, answer: null, changed: [] }
}
