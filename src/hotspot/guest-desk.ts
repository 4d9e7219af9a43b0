/** What a guest can ask for, from his own device. */
import { MeshBoxError, RateLimit, inputError } from '../base/index.ts'
import { foreignTerms } from './bearers.ts'
import type { BearerReader } from './bearers.ts'
import type { Checkpoint } from './checkpoint.ts'
import { readMac } from './gate/index.ts'
import type { MacAddress } from './gate/types.ts'
import { lastSessionOf } from './io/session-tables.ts'
import { insertTrial } from './io/trial-tables.ts'
import { findVoucher } from './io/voucher-tables.ts'
import type { Keeper } from './keeper.ts'
import type { Lanes } from './lanes.ts'
import { deviceLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { Metering } from './metering.ts'
import type { Opening } from './opening.ts'
import type { HotspotDeps } from './ports.ts'
import type { ReceiptSigner } from './receipt/index.ts'
import { receiptOf, rememberingSigner } from './receipts.ts'
import type { Redeem } from './redeem.ts'
import type { Roaming } from './roaming/index.ts'
import type { GuestConsent, TopUpAnswer, TopUps } from './stream/index.ts'
import { isUsable, isVisitor, viewOf } from './session/index.ts'
import type { Session } from './session/index.ts'
import { priceBoard, trialAllotment } from './tariff/index.ts'
import type { TrialUse } from './tariff/index.ts'
import { issueTicket } from './ticket/index.ts'
import type { Trials } from './trials.ts'
import type { BearerPreview, ClientAddress, GuestDesk, GuestView, KeptWalk, PriceBoard, SessionView } from './types.ts'
import { attachKey, keyOf } from './wallet/index.ts'

/** A session that is over is shown to its device for so long. */
const JUST_ENDED_MS = 3_600_000
/** Each pause is written to flash twice: a guest may change his mind, not wear the box out. A resume needs a pause. */
export const PAUSES = { burst: 60, perSecond: 1 / 15 }

export interface GuestDeskParts {
  readonly live: LiveSessions
  readonly lanes: Lanes
  readonly keeper: Keeper
  readonly metering: Metering
  readonly opening: Opening
  readonly redeem: Redeem
  readonly bearers: BearerReader
  readonly trials: Trials
  readonly checkpoint: Checkpoint
  readonly topUps: TopUps
  readonly roaming: Roaming
}

export class GuestCounter implements GuestDesk {
  readonly #deps: HotspotDeps
  readonly #parts: GuestDeskParts
  readonly #signer: ReceiptSigner
  readonly #pauses = new RateLimit(PAUSES)

  constructor(deps: HotspotDeps, parts: GuestDeskParts) {
    this.#deps = deps
    this.#parts = parts
    this.#signer = rememberingSigner(deps.signer)
  }

  view(client: ClientAddress): GuestView {
    const mac = macOf(client)
    const { live, metering, roaming } = this.#parts
    metering.looked()
    const session = live.ofDevice(mac)
    const { visit, roam } = roaming.shown(mac, session)
    const shown = session ?? this.#justEnded(mac)
    const board = this.board()
    return {
      venue: this.#deps.config().main.name,
      board,
      trialAvailable: board.trial !== null && session === undefined && this.#mayTakeTrial(mac),
      session: visit ?? (shown === undefined ? null : this.#show(shown)),
      ticket:
        session === undefined || visit !== null
          ? null
          : issueTicket({ sessionId: session.id, counter: session.ticketCounter }, this.#deps.voucherKeys),
      roam,
      wayOut: this.#deps.wayOut(),
    }
  }

  board(): PriceBoard {
    const { boottimeMs, wallMs, wallTrusted } = this.#parts.keeper.now()
    return priceBoard(this.#deps.config(), { boottimeMs, wallMs, wallTrusted })
  }

  preview(client: ClientAddress, text: string): BearerPreview {
    const { bearers, live } = this.#parts
    const bearer = bearers.readSigned(macOf(client), text, this.#deps.clock.boottimeMs())
    if (bearer.kind === 'voucher') {
      const known = this.#deps.store.read((tx) => findVoucher(tx, bearer.id))
      const { terms, label } = known ?? foreignTerms(this.#deps.config(), bearer)
      return { kind: 'voucher', label, seconds: terms.seconds, bytes: terms.bytes, tokens: terms.tokens, devices: terms.devices }
    }
    const session = live.get(bearer.ticket.sessionId)
    if (session === undefined || session.ticketCounter !== bearer.ticket.counter)
      throw new MeshBoxError('conflict', 'this link was used already, or its session is over', { code: 'ticket-stale' })
    const { label, secondsLeft, bytesLeft, devicesMax } = this.#show(session)
    return { kind: 'ticket', label, seconds: secondsLeft, bytes: bytesLeft, tokens: null, devices: devicesMax }
  }

  async redeem(client: ClientAddress, bearer: string): Promise<SessionView> {
    const mac = macOf(client)
    try {
      return this.#show(await this.#parts.redeem.redeem(mac, client.ip4, bearer))
    } catch (thrown) {
      // The code of a session that another box sold, or that is used there now: with it the guest has it moved to him.
      if (!(thrown instanceof MeshBoxError) || !WALKS.has(thrown.code) || !(await this.#parts.roaming.bring(mac, bearer))) throw thrown
      const brought = this.view(client).session
      if (brought === null) throw thrown
      return brought
    }
  }

  keptAddress(client: ClientAddress): string | null {
    const session = this.#parts.live.ofDevice(macOf(client))
    return session === undefined ? null : this.#deps.store.read((tx) => keyOf(tx, session.id))
  }

  async keepWithKey(client: ClientAddress, address: string): Promise<SessionView> {
    return this.#withOwnSession(client, async (session) => {
      refuseVisitor(session, macOf(client))
      await this.#deps.store.turn((tx) => attachKey(tx, session.id, address))
      return session
    })
  }

  async openWithKey(client: ClientAddress, address: string): Promise<SessionView> {
    return this.#show(await this.#parts.redeem.useKey(macOf(client), client.ip4, address))
  }

  keptElsewhere(client: ClientAddress, address: string): Promise<readonly KeptWalk[]> {
    return this.#parts.roaming.kept(macOf(client), address)
  }

  async showKey(client: ClientAddress, sessionId: string, signature: Uint8Array): Promise<SessionView> {
    await this.#parts.roaming.showKey(macOf(client), sessionId, signature)
    const { session } = this.view(client)
    if (session === null) throw noSession()
    return session
  }

  async topUp(client: ClientAddress, code: string, payer: string, consent: GuestConsent | null): Promise<TopUpAnswer> {
    return this.#parts.topUps.redeem(client, code, payer, consent)
  }

  async startTrial(client: ClientAddress): Promise<SessionView> {
    const mac = macOf(client)
    return this.#show(await this.#parts.lanes.run([deviceLane(mac)], () => this.#startTrial(mac, client.ip4)))
  }

  async pause(client: ClientAddress): Promise<SessionView> {
    const { keeper, metering } = this.#parts
    return this.#withOwnSession(client, async (session) => {
      if (isHeldByOwn(session)) refuseVisitor(session, macOf(client))
      this.#admitPause(session)
      const charged = await metering.charge(session)
      return keeper.perform(charged, { type: 'pause', at: keeper.now(), reason: 'guest' })
    })
  }

  #admitPause(session: Session): void {
    if (session.state === 'paused') return
    const waitSeconds = this.#pauses.take(session.id, this.#deps.clock.boottimeMs())
    if (waitSeconds > 0)
      throw new MeshBoxError('limit', 'this session was paused too often; wait a little', { code: 'too-many-pauses', retryAfterSeconds: waitSeconds })
  }

  async resume(client: ClientAddress): Promise<SessionView> {
    const { opening, live, roaming } = this.#parts
    const mac = macOf(client)
    // Whether it may come back is the other boxes' to say; if not, the desk says below that it is away.
    if (live.ofDevice(mac)?.pauseReason === 'away') await roaming.bring(mac, null)
    return this.#withOwnSession(client, async (session) => {
      if (isHeldByOwn(session)) refuseVisitor(session, macOf(client))
      return opening.withPlace(session.id, () => opening.open(session, 'guest'))
    })
  }

  async end(client: ClientAddress): Promise<SessionView> {
    const { keeper, live, metering } = this.#parts
    const mac = macOf(client)
    const over = live.ofDevice(mac) === undefined ? this.#justEnded(mac) : undefined
    if (over?.endReason === 'ended-by-guest') return this.#show(over)
    return this.#withOwnSession(client, async (session) => {
      const charged = await metering.charge(session)
      if (charged.state === 'ended') return charged
      const at = keeper.now()
      if (isVisitor(charged, mac) && hasKeeper(charged)) {
        const left = await keeper.perform(charged, { type: 'unbind', at, mac })
        return left.state === 'active' ? metering.chargeGone(left, [mac]) : left
      }
      return keeper.perform(charged, { type: 'end', at, reason: 'ended-by-guest' })
    })
  }

  receipt(client: ClientAddress): string {
    const mac = macOf(client)
    const { live } = this.#parts
    const session = live.ofDevice(mac) ?? this.#deps.store.read((tx) => lastSessionOf(tx, mac))?.session
    if (session === undefined) throw noSession()
    return receiptOf(session, this.#deps.config(), this.#signer)
  }

  async #startTrial(mac: MacAddress, ip4: string | null): Promise<Session> {
    const { live, opening, redeem, trials } = this.#parts
    const { tariff, hotspot } = this.#deps.config()
    const running = live.ofDevice(mac)
    if (running !== undefined)
      return redeem.withSessions(
        () => [live.ofDevice(mac)],
        async () => {
          const session = await redeem.charged(live.ofDevice(mac))
          if (session?.allotments.some((each) => each.source !== 'trial') ?? true)
            throw new MeshBoxError('conflict', 'this device has a session already', { code: 'session-running' })
          return opening.withPlace(running.id, () => opening.open(session ?? running, 'guest'))
        },
      )
    if (tariff.trialMinutes === 0 || hotspot.trialsPerDay === 0)
      throw new MeshBoxError('conflict', 'there is no free trial here', { code: 'no-trial' })
    if (!this.#mayTakeTrial(mac))
      throw new MeshBoxError('conflict', 'the free trial of today was used', { code: 'trial-used' })
    const use = this.#trialMoment()
    trials.take(mac, use)
    try {
      return await redeem.begin(await redeem.newDevice(mac, ip4), trialAllotment(tariff), (tx, session) => {
        insertTrial(tx, mac, use)
        return session
      })
    } catch (thrown) {
      // If the gate failed after the trial was written, there is a session that is owed an open gate.
      if (live.ofDevice(mac) === undefined) trials.giveBack(mac)
      throw thrown
    }
  }

  async #withOwnSession(client: ClientAddress, task: (session: Session) => Promise<Session>): Promise<SessionView> {
    const mac = macOf(client)
    const { live, lanes, redeem } = this.#parts
    return lanes.run([deviceLane(mac)], () =>
      redeem.withSessions(
        () => [live.ofDevice(mac)],
        async () => {
          const session = live.ofDevice(mac)
          if (session === undefined) throw noSession()
          return this.#show(await task(session))
        },
      ),
    )
  }

  #mayTakeTrial(mac: MacAddress): boolean {
    return this.#parts.trials.mayTake(mac, this.#trialMoment(), this.#deps.config().hotspot.trialsPerDay)
  }

  #trialMoment(): TrialUse {
    const { wallMs, wallTrusted } = this.#parts.keeper.now()
    return { ageMs: this.#parts.checkpoint.ageMs(), wallMs, wallTrusted }
  }

  #justEnded(mac: MacAddress): Session | undefined {
    const last = this.#deps.store.read((tx) => lastSessionOf(tx, mac))?.session
    if (last === undefined || last.ended === null) return undefined
    const now = this.#parts.keeper.now()
    const agoMs =
      last.ended.bootId === now.bootId
        ? now.boottimeMs - last.ended.boottimeMs
        : last.ended.wallTrusted && now.wallTrusted
          ? now.wallMs - last.ended.wallMs
          : Number.POSITIVE_INFINITY
    return agoMs <= JUST_ENDED_MS ? last : undefined
  }

  #show(session: Session): SessionView {
    return viewOf(session, this.#deps.clock.boottimeMs())
  }
}

/** Refusals of a code behind which a session may be that walks. */
const WALKS = new Set(['bad-code', 'session-away'])

/** The door found out who asks; what is no station's address buys nothing. */
function macOf(client: ClientAddress): MacAddress {
  const mac = readMac(client.mac)
  if (mac === null) throw inputError('mac', client.mac, 'the address of a device on the guest network')
  return mac
}

/** Is a device online, or paused, that is no visitor? */
function isHeldByOwn(session: Session): boolean {
  return session.devices.some((device) => device.isBound && !device.byTicket)
}

/** Is there anybody else for whom the time is kept: a device of his own, or a bearer who comes back? */
function hasKeeper(session: Session): boolean {
  return isHeldByOwn(session) || session.allotments.some((each) => each.bearer !== null && isUsable(each))
}

function refuseVisitor(session: Session, mac: MacAddress): void {
  if (isVisitor(session, mac))
    throw new MeshBoxError('conflict', 'this device came in by a link: only a device of its own may do that to a session', {
      code: 'visitor',
    })
}

function noSession(): MeshBoxError {
  return new MeshBoxError('not-found', 'this device has no session', { code: 'no-session' })
}
