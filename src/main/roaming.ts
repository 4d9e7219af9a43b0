/**
 * Sessions that go with their guests, joined: the hotspot's sessions and gate, the talk with other boxes, payments over channels,
 * and the book. Where the gate is at the box with the way out alone (`mesh.roam_enforcement exit`) there is nothing to move, and none
 * of this runs. docs/mesh.md "Roaming"
 */
import { hexOf, momentOf, utf8, type Address, type Cancel, type Clock, type Hash, type Log, type Timers } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { Roaming as WalkingSessions, RoamGuide } from '../hotspot/index.ts'
import type { Ledger } from '../ledger/index.ts'
import {
  ChannelPurse,
  NEEDS_KEY,
  ROAM_PROTOCOL,
  Roaming,
  SELLER_OWES,
  SELLER_SILENT,
  USED_UP,
  WENT_ELSEWHERE,
  createRoamBook,
  type BoxId,
  type Documents,
  type MeshPart,
  type PeerHub,
  type PurseChannels,
  type RoamChange,
  type RoamGuests,
  type RoamSight,
  type RoamTerms,
} from '../mesh/index.ts'
import type { Store, Tx } from '../store/index.ts'

export interface MeshRoamingParts {
  /** As it is now: what a minute costs may change while the service runs. */
  readonly config: () => Config
  readonly walking: Pick<WalkingSessions, 'find' | 'isOver' | 'rebind' | 'handOver' | 'takeBack' | 'setSpentElsewhere' | 'admit' | 'release' | 'used' | 'idleMs' | 'onUnknownGuest' | 'guideBy' | 'hashOfKey' | 'hashOfCode'>
  readonly hub: Pick<PeerHub, 'openQuestions' | 'peers' | 'penalise'>
  readonly documents: Documents
  /** Who has no paper of the community brings no guests, and is given none. */
  readonly isWelcome: (box: BoxId) => boolean
  /** That minutes are paid in; null: nothing is asked for them. */
  readonly token: Address | null
  /** Whom to pay for a box that is connected; null: this box has no channels, or does not know now. */
  readonly payeeOf: (box: BoxId) => Address | null
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly store: Store
  readonly ledger: Pick<Ledger, 'earn' | 'post'>
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

const SOURCE = 'mesh:roaming'
const COST_ACCOUNT = 'cost:roaming'
const WRITE_OFF_SOURCE = 'mesh:write-off'
const LOSS_ACCOUNT = 'loss:roaming'
/** No session's: those are SHA-256 of something. */
const NO_BEARER: Hash = `0x${'00'.repeat(32)}`
const MAX_CODE_BYTES = 64
/** The channels' contract has to be read first. */
const CHANNELS_EVERY_MS = 1000

export class MeshRoaming {
  readonly #parts: MeshRoamingParts
  readonly #roaming: Roaming
  readonly #purse: ChannelPurse
  #cancels: Cancel[] = []

  /** Opens its protocol: before the node starts. */
  constructor(parts: MeshRoamingParts) {
    const { walking, hub, documents, isWelcome, token, payeeOf, keccak256, store, ledger, clock, timers, log } = parts
    this.#parts = parts
    this.#purse = new ChannelPurse({ payeeOf, store, timers, log })
    this.#roaming = new Roaming({
      self: documents.self,
      documents,
      hashes: {
        keccak256,
        ofKey: (address) => walking.hashOfKey(address),
        ofCode: (code) => walking.hashOfCode(Buffer.from(code).toString('utf8')) ?? NO_BEARER,
      },
      place: {
        find: (guest) => walking.find(guest),
        isOver: (sessionId) => walking.isOver(sessionId),
        rebind: (sessionId, mac) => walking.rebind(sessionId, mac),
        handOver: (sessionId, to, counter) => walking.handOver(sessionId, to, counter),
        takeBack: (sessionId, counter, spent) => walking.takeBack(sessionId, counter, spent),
        setSpentElsewhere: (sessionId, spent) => walking.setSpentElsewhere(sessionId, spent),
        admit: (ticket, leaseSeconds) => walking.admit(ticket, leaseSeconds),
        release: (seller, sessionId) => walking.release(seller, sessionId),
        used: (seller, sessionId, counter) => walking.used(seller, sessionId, counter),
        idleMs: (mac) => walking.idleMs(mac),
        onUnknownGuest: (listener) => walking.onUnknownGuest(listener),
      },
      book: createRoamBook({ store, clock, onEarned: (tx, earned) => this.#earned(tx, earned, ledger), onSpent: (tx, spent) => this.#spent(tx, spent, ledger), onWrittenOff: (tx, writtenOff) => this.#writtenOff(tx, writtenOff, ledger) }),
      payer: token === null ? null : this.#purse,
      terms: termsOf(parts),
      clock,
      timers,
      log,
      node: {
        openQuestions: (protocol, answer) => hub.openQuestions(protocol, async (from, question) => (isWelcome(from) ? answer(from, question) : null)),
        peers: () => hub.peers().filter(({ box, protocols }) => protocols.includes(ROAM_PROTOCOL.name) && isWelcome(box)),
      },
      penalise: (box, points, reason) => hub.penalise(box, points, reason),
    })
  }

  /** For the owner. */
  guests(): RoamGuests {
    return this.#roaming.guests()
  }

  /** By the owner: what this box owes for its guests here is asked for no more. False: it owes nothing. */
  writeOff(box: BoxId): Promise<boolean> {
    return this.#roaming.writeOff(box)
  }

  /** Before other boxes are there to ask. */
  part(): MeshPart {
    return { name: 'guests who walk', start: () => this.#start(), stop: () => this.#stop() }
  }

  /** The channels' room; it may still wait for its contract. */
  usePayments(photon: { direct(): PurseChannels | null }): void {
    let known: PurseChannels | null = null
    const look = (): void => {
      const now = photon.direct()
      if (now === known) return
      known = now
      this.#purse.use(now)
    }
    look()
    this.#cancels.push(this.#parts.timers.every(CHANNELS_EVERY_MS, look))
  }

  async #start(): Promise<void> {
    await this.#roaming.start()
    this.#cancels.push(this.#parts.walking.guideBy(this.#guide()))
  }

  async #stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#purse.use(null)
    await this.#roaming.stop()
  }

  #guide(): RoamGuide {
    return {
      seek: async (mac, code) => {
        const typed = code === null ? null : utf8(code.trim())
        if (typed !== null && (typed.length === 0 || typed.length > MAX_CODE_BYTES)) return false
        const outcome = await this.#roaming.seek(mac, typed === null ? null : { kind: 'code', code: typed })
        return outcome.kind === 'in'
      },
      sight: (mac) => stateOf(this.#roaming.sight(mac)),
      kept: async (mac, key) => (await this.#roaming.kept(mac, key)).map((walk) => ({ ...walk, claimant: this.#parts.documents.self })),
      showKey: async (mac, sessionId, signature) => (await this.#roaming.showKey(mac, sessionId, signature)).kind === 'in',
      nameOf: (box) => this.#parts.hub.peers().find((peer) => peer.box === box)?.name || null,
    }
  }

  #earned(tx: Tx, { seller, token, amount, total, reference, evidence }: NonNullable<RoamChange['earned']>, ledger: Pick<Ledger, 'earn'>): void {
    const frames = evidence.slice(0, MAX_EVIDENCE_FRAMES).map((frame, index) => [`ticket${index + 1}`, hexOf(frame)] as const)
    ledger.earn(tx, {
      source: SOURCE,
      token: this.#tokenName(token),
      amount,
      from: `photon:${seller}`,
      evidence: { type: 'roaming', id: `${reference}:${total}`, facts: { seller, total: total.toString(), ...Object.fromEntries(frames) } },
      at: momentOf(this.#parts.clock),
    })
  }

  #spent(tx: Tx, { holder, token, amount, total, reference }: NonNullable<RoamChange['spent']>, ledger: Pick<Ledger, 'post'>): void {
    ledger.post(tx, {
      source: SOURCE,
      token: this.#tokenName(token),
      evidence: { type: 'roaming-paid', id: `${reference}:${total}`, facts: { holder, total: total.toString() } },
      postings: [
        { account: COST_ACCOUNT, amount },
        { account: `photon:${holder}`, amount: -amount },
      ],
      at: momentOf(this.#parts.clock),
    })
  }

  /** Nothing of it was booked as earned: two accounts that only tell of it, and no money moves. */
  #writtenOff(tx: Tx, { seller, token, amount, total, owed, reference }: NonNullable<RoamChange['writtenOff']>, ledger: Pick<Ledger, 'post'>): void {
    ledger.post(tx, {
      source: WRITE_OFF_SOURCE,
      token: this.#tokenName(token),
      evidence: { type: 'roaming-written-off', id: `${reference}:${owed}:${total}`, facts: { seller, owed: owed.toString(), total: total.toString() } },
      postings: [
        { account: LOSS_ACCOUNT, amount },
        { account: `unpaid:${seller}`, amount: -amount },
      ],
      at: momentOf(this.#parts.clock),
    })
  }

  /** As the channels call it; else as much of its address as the book takes. */
  #tokenName(address: Address): string {
    return this.#parts.config().photon.tokens.find((token) => token.address === address)?.symbol ?? address.slice(0, MAX_TOKEN_NAME)
  }
}

const MAX_EVIDENCE_FRAMES = 8
const MAX_TOKEN_NAME = 32
/** What a seller may owe where mesh.max_debt does not say. */
const MINUTES_OF_DEBT = 30n

/** Read anew each time it is asked for. */
function termsOf({ config, token }: Pick<MeshRoamingParts, 'config' | 'token'>): RoamTerms {
  return {
    get unitsPerMinute() {
      return token === null ? 0n : config().mesh.roamPricePerMinute
    },
    get maxDebt() {
      const { maxDebt, roamPricePerMinute } = config().mesh
      return maxDebt === 0n ? roamPricePerMinute * MINUTES_OF_DEBT : maxDebt
    },
    get settleAmount() {
      return config().mesh.settleAmount
    },
  }
}

const WHY_OUT: Readonly<Record<string, ReturnType<RoamGuide['sight']>>> = {
  [SELLER_SILENT]: 'silent',
  [WENT_ELSEWHERE]: 'elsewhere',
  [SELLER_OWES]: 'dear',
  [NEEDS_KEY]: 'key',
  [USED_UP]: null,
}

function stateOf({ why, held }: RoamSight): ReturnType<RoamGuide['sight']> {
  switch (why) {
    case 'prove':
    case 'key':
      return why
    case 'too-dear':
    case 'seller-owes':
      return 'dear'
    case 'seller-silent':
      return 'silent'
    case 'again':
      return 'elsewhere'
    case 'unknown':
    case 'ended':
    case null:
      // He is in for a while.
      if (held?.isIn === true && held.ticket.proofAfterSeconds !== null) return 'key'
      return held === null || held.isIn || held.reason === null ? null : (WHY_OUT[held.reason] ?? null)
  }
}
