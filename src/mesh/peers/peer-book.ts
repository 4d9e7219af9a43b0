/**
 * What is remembered of boxes: names, the address that was good last, penalties, bans. In memory, and of it on disk what must
 * outlive a reboot: addresses and bans. A ban of the service runs on boottime, which starts anew at each boot; after one it
 * runs from its beginning, so that nobody gets out of it by a power cut.
 */
import type { Clock } from '../../base/index.ts'
import type { BoxId, PeerSide } from '../ports.ts'
import { GOOD_STANDING, bannedByOwner, isBanned, penalised, pointsOf } from './penalties.ts'
import type { Standing } from './penalties.ts'

/** Boxes without a ban: the one that was seen longest ago is forgotten first. */
export const MAX_REMEMBERED = 256
/** Boxes that the service has banned; the owner's bans are not counted. */
export const MAX_BANNED = 1024

export interface PeerRecord {
  readonly box: BoxId
  readonly name: string
  readonly peerId: string
  /** Where we reached it; null: it always came to us. */
  readonly address: string | null
  readonly side: PeerSide
  readonly standing: Standing
  readonly seenMs: number
}

/** One row. */
export interface StoredPeer {
  readonly box: BoxId
  readonly name: string
  readonly peerId: string
  readonly address: string | null
  readonly side: PeerSide
  readonly bans: number
  /** Null: not banned. `durationMs` null: by the owner, for good. */
  readonly ban: { readonly bootId: string; readonly untilMs: number | null; readonly durationMs: number | null; readonly reason: string } | null
}

/** Where it is kept. */
export interface PeerShelf {
  load(): readonly StoredPeer[]
  /** Resolves when it is on disk. */
  save(peer: StoredPeer): Promise<void>
  remove(boxes: readonly BoxId[]): Promise<void>
}

export class PeerBook {
  readonly #clock: Pick<Clock, 'boottimeMs' | 'bootId'>
  readonly #shelf: PeerShelf
  readonly #onSaveFailed: (error: unknown) => void
  readonly #records = new Map<BoxId, PeerRecord>()
  /** On disk, or on the way there. */
  readonly #stored = new Set<BoxId>()

  constructor(shelf: PeerShelf, clock: Pick<Clock, 'boottimeMs' | 'bootId'>, onSaveFailed: (error: unknown) => void) {
    this.#shelf = shelf
    this.#clock = clock
    this.#onSaveFailed = onSaveFailed
    for (const peer of shelf.load()) {
      this.#records.set(peer.box, recordOf(peer, clock))
      this.#stored.add(peer.box)
    }
  }

  get(box: BoxId): PeerRecord | null {
    return this.#records.get(box) ?? null
  }

  all(): readonly PeerRecord[] {
    return [...this.#records.values()]
  }

  isBanned(box: BoxId): boolean {
    const record = this.#records.get(box)
    return record !== undefined && isBanned(record.standing, this.#clock.boottimeMs())
  }

  points(box: BoxId): number {
    const record = this.#records.get(box)
    return record === undefined ? 0 : pointsOf(record.standing, this.#clock.boottimeMs())
  }

  /** It let us in, or we it. */
  met(box: BoxId, facts: { readonly name: string; readonly peerId: string; readonly side: PeerSide }): void {
    const before = this.#records.get(box)
    this.#put({ box, ...facts, address: before?.address ?? null, standing: before?.standing ?? GOOD_STANDING, seenMs: this.#clock.boottimeMs() })
    this.#forgetOldest()
  }

  /** A connection to this address has held: it is worth a write, and to be dialled after a restart. */
  keep(box: BoxId, address: string): void {
    const before = this.#records.get(box)
    if (before === undefined || before.address === address) return
    this.#records.set(box, { ...before, address })
    this.#saveLater(box)
  }

  /** True: that was the breach that bans it. In force at once, and written. */
  penalise(box: BoxId, points: number, reason: string): boolean {
    const before = this.#records.get(box) ?? this.#stranger(box)
    const now = this.#clock.boottimeMs()
    const standing = penalised(before.standing, points, reason, now)
    this.#put({ ...before, standing })
    const isNewlyBanned = isBanned(standing, now) && !isBanned(before.standing, now)
    if (isNewlyBanned) this.#saveLater(box)
    this.#forgetOldest()
    return isNewlyBanned
  }

  /** In force at once; resolves when it is on disk. */
  async ban(box: BoxId, reason: string): Promise<void> {
    const before = this.#records.get(box) ?? this.#stranger(box)
    this.#put({ ...before, standing: bannedByOwner(before.standing, reason) })
    await this.#save(box)
  }

  /** On disk first: what is told to be pardoned stays so. */
  async pardon(box: BoxId): Promise<void> {
    const before = this.#records.get(box)
    if (before === undefined) return
    const record = { ...before, standing: GOOD_STANDING }
    await this.#shelf.save(this.#rowOf(record))
    this.#records.set(box, { ...(this.#records.get(box) ?? record), standing: GOOD_STANDING })
  }

  #stranger(box: BoxId): PeerRecord {
    return { box, name: '', peerId: '', address: null, side: 'internet', standing: GOOD_STANDING, seenMs: this.#clock.boottimeMs() }
  }

  /** The map's order is that of last meeting. */
  #put(record: PeerRecord): void {
    this.#records.delete(record.box)
    this.#records.set(record.box, record)
  }

  #saveLater(box: BoxId): void {
    this.#save(box).catch(this.#onSaveFailed)
  }

  #save(box: BoxId): Promise<void> {
    const record = this.#records.get(box)
    if (record === undefined) return Promise.resolve()
    this.#stored.add(box)
    return this.#shelf.save(this.#rowOf(record))
  }

  #forgetOldest(): void {
    const now = this.#clock.boottimeMs()
    const ofService: BoxId[] = []
    const free: BoxId[] = []
    for (const { box, standing } of this.#records.values()) {
      if (!isBanned(standing, now)) free.push(box)
      else if (standing.ban?.untilMs !== null) ofService.push(box)
    }
    const forgotten = [...free.slice(0, Math.max(0, free.length - MAX_REMEMBERED)), ...ofService.slice(0, Math.max(0, ofService.length - MAX_BANNED))]
    if (forgotten.length === 0) return
    for (const box of forgotten) this.#records.delete(box)
    const onDisk = forgotten.filter((box) => this.#stored.delete(box))
    if (onDisk.length > 0) this.#shelf.remove(onDisk).catch(this.#onSaveFailed)
  }

  #rowOf({ box, name, peerId, address, side, standing }: PeerRecord): StoredPeer {
    const ban = isBanned(standing, this.#clock.boottimeMs()) ? standing.ban : null
    return { box, name, peerId, address, side, bans: standing.bans, ban: ban === null ? null : { bootId: this.#clock.bootId, ...ban } }
  }
}

function recordOf({ box, name, peerId, address, side, bans, ban }: StoredPeer, clock: Pick<Clock, 'boottimeMs' | 'bootId'>): PeerRecord {
  const untilMs = ban === null || ban.untilMs === null || ban.durationMs === null ? null : ban.bootId === clock.bootId ? ban.untilMs : clock.boottimeMs() + ban.durationMs
  const standing: Standing = { breaches: [], bans, ban: ban === null ? null : { untilMs, durationMs: ban.durationMs, reason: ban.reason } }
  return { box, name, peerId, address, side, standing, seenMs: clock.boottimeMs() }
}
