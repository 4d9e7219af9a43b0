/**
 * The boxes that this one knows by address: the owner's in the configuration, and those that were added. It dials them
 * until they answer, ever more seldom, and at once when there is mail for one.
 */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Address, Cancel, Clock, Log, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { PeerDoor } from '../parts.ts'
import { putNote, readNotes } from './note-table.ts'

export interface KnownPeersOptions {
  readonly door: Pick<PeerDoor, 'dial'>
  readonly isConnected: (account: Address) => boolean
  readonly fixed: readonly { readonly account: Address; readonly address: string }[]
  readonly store: Store
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

const LOOK_EVERY_MS = 1_000
const FIRST_WAIT_MS = 2_000
const LAST_WAIT_MS = 300_000
/** Mail does not wait for the end of a long pause, and does not dial at each letter either. */
const MAIL_WAIT_MS = 5_000
const PREFIX = 'peer/'
/** Remembered boxes, the configuration's aside. */
const MAX_REMEMBERED = 256

interface Known {
  readonly address: string
  dialMs: number
  waitMs: number
  isDialling: boolean
}

export class KnownPeers {
  readonly #options: KnownPeersOptions
  readonly #known = new Map<Address, Known>()
  readonly #cancel: Cancel

  constructor(options: KnownPeersOptions) {
    this.#options = options
    for (const [account, address] of options.store.read((tx) => readNotes(tx, PREFIX))) this.#learn(account as Address, address)
    for (const { account, address } of options.fixed) this.#learn(account, address)
    this.#cancel = options.timers.every(LOOK_EVERY_MS, () => this.#look())
  }

  stop(): void {
    this.#cancel()
  }

  all(): readonly { readonly account: Address; readonly address: string }[] {
    return [...this.#known].map(([account, { address }]) => ({ account, address }))
  }

  has(account: Address): boolean {
    return this.#known.has(account)
  }

  /** Resolves when it is on disk; dialled with the next look. */
  async add(account: Address, address: string): Promise<void> {
    if (this.#known.size >= MAX_REMEMBERED + this.#options.fixed.length && !this.#known.has(account)) throw tooMany()
    await this.#options.store.turn((tx) => putNote(tx, `${PREFIX}${account}`, address))
    this.#learn(account, address)
  }

  /** There is mail for it. */
  wanted(account: Address): void {
    const known = this.#known.get(account)
    if (known !== undefined) known.dialMs = Math.min(known.dialMs, this.#options.clock.boottimeMs() + Math.min(known.waitMs, MAIL_WAIT_MS))
  }

  #learn(account: Address, address: string): void {
    this.#known.set(account, { address, dialMs: this.#options.clock.boottimeMs(), waitMs: FIRST_WAIT_MS, isDialling: false })
  }

  #look(): void {
    const now = this.#options.clock.boottimeMs()
    for (const [account, known] of this.#known) {
      if (this.#options.isConnected(account)) known.waitMs = FIRST_WAIT_MS
      else if (!known.isDialling && known.dialMs <= now) void this.#dial(account, known)
    }
  }

  async #dial(account: Address, known: Known): Promise<void> {
    const { door, clock, log } = this.#options
    known.isDialling = true
    try {
      await door.dial(known.address)
    } catch (thrown) {
      log.debug('a box does not answer', { account, address: known.address, error: asError(thrown).message })
    } finally {
      known.isDialling = false
      known.dialMs = clock.boottimeMs() + known.waitMs
      known.waitMs = Math.min(2 * known.waitMs, LAST_WAIT_MS)
    }
  }
}

function tooMany(): Error {
  return new MeshBoxError('limit', `${MAX_REMEMBERED} boxes are remembered`, { code: 'photon-peers' })
}
