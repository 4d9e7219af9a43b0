/**
 * Which of several boxes sells a frame: the real answer behind `CopyContest`. Each box that heard it tells the others how well; after
 * `withinMs` everybody sorts the same offers in the same way, and the first `maxCopies` are the sellers. No server, no vote: a box whose
 * offer was lost thinks itself better placed than it is, and the buyer's own knowledge of what he has ends that (he pays no copy twice
 * from one box). What goes between boxes is the mesh's; alone, every frame is ours at once.
 */
import type { Cancel, Clock, Timers } from '../../base/index.ts'
import type { CopyContest, FrameId } from '../ports.ts'

export interface ContestOffer {
  readonly frame: FrameId
  /** Of the box, as the mesh names it. */
  readonly box: string
  readonly snrDb: number
}

/** The mesh, as this needs it. `boxes`: others that could have heard it too. */
export interface ContestPeers {
  readonly self: string
  readonly boxes: number
  tell(offer: ContestOffer): void
  onOffer(listener: (offer: ContestOffer) => void): Cancel
}

const MAX_FRAMES = 4_096
const MAX_OFFERS = 64
/** An offer of a faster box comes before our own reception; a slower one must not start a contest of a frame long sold. */
const KEPT_MS = 10_000

interface Contest {
  readonly sinceMs: number
  /** By box; a better one of the same box replaces the one before. */
  readonly offers: Map<string, number>
}

/** A box without neighbours. */
export const SOLE_BOX: CopyContest = { isOurs: () => Promise.resolve(true) }

export class NeighbourContest implements CopyContest {
  readonly #peers: ContestPeers
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #contests = new Map<FrameId, Contest>()
  readonly #stop: Cancel

  constructor(peers: ContestPeers, clock: Clock, timers: Timers) {
    this.#peers = peers
    this.#clock = clock
    this.#timers = timers
    this.#stop = peers.onOffer((offer) => this.#note(offer))
  }

  get size(): number {
    return this.#contests.size
  }

  async isOurs({ frame, snrDb, maxCopies, withinMs }: Parameters<CopyContest['isOurs']>[0]): Promise<boolean> {
    const { boxes, self } = this.#peers
    if (boxes === 0) return true
    const own = { frame, box: self, snrDb }
    this.#note(own)
    this.#peers.tell(own)
    await new Promise<void>((waited) => this.#timers.after(withinMs, waited))
    const offers = [...(this.#contests.get(frame)?.offers ?? new Map([[self, snrDb]]))]
    const better = offers.filter(([box, snr]) => snr > snrDb || (snr === snrDb && box < self))
    return better.length < maxCopies
  }

  close(): void {
    this.#stop()
    this.#contests.clear()
  }

  #note({ frame, box, snrDb }: ContestOffer): void {
    const nowMs = this.#clock.boottimeMs()
    for (const [id, { sinceMs }] of this.#contests) {
      if (nowMs - sinceMs < KEPT_MS && this.#contests.size < MAX_FRAMES) break
      this.#contests.delete(id)
    }
    let contest = this.#contests.get(frame)
    if (contest === undefined) this.#contests.set(frame, (contest = { sinceMs: nowMs, offers: new Map() }))
    const before = contest.offers.get(box)
    if (before === undefined ? contest.offers.size < MAX_OFFERS : before < snrDb) contest.offers.set(box, snrDb)
  }
}
