/** What the owner may order of carriages with a neighbour. Each resolves when it is on disk and the gates are as it says; rejects where nothing of it was done. */
import { MeshBoxError } from '../../base/index.ts'
import type { BoxId } from '../ports.ts'
import { isResting } from './account-book.ts'
import type { AccountBook } from './account-book.ts'
import { partnerOf, residueOf } from './account.ts'
import type { Account } from './account.ts'

export interface OrderTools {
  readonly book: AccountBook
  /** One after the other with all other inputs; never rejects, and leaves the work out while the desk does not run. */
  readonly run: (work: () => Promise<void>) => Promise<void>
  readonly finish: (account: Account, toldReason: string, reason: string) => Promise<void>
  readonly setGates: () => Promise<void>
  readonly nowMs: () => number
}

export class OwnerOrders {
  readonly #tools: OrderTools

  constructor(tools: OrderTools) {
    this.#tools = tools
  }

  /** Nothing more is carried between us and `box` for ten minutes, or until it is readmitted. What is owed stays owed. Errors: not-found. */
  end(box: BoxId, reason: string): Promise<void> {
    const { book, finish, setGates } = this.#tools
    return this.#order(box, 'has no carriage that could be ended', async () => {
      const live = (['carrier', 'client'] as const).flatMap((role) => book.live(box, role) ?? [])
      for (const account of live) {
        await finish(account, `its owner says: ${reason}`, reason)
        const ended = book.now(account)
        await book.write([{ ...ended, state: { ...ended.state, isBroken: true } }])
      }
      await setGates()
      return live.length > 0
    })
  }

  /** Carriages with `box` that ended may begin anew at once. Errors: not-found. */
  readmit(box: BoxId): Promise<void> {
    return this.#change(box, (account) => isResting(account, this.#tools.nowMs()), (account) => ({ ...account, isReadmitted: true }), 'has no carriage that rests')
  }

  /** What `box` owes of carriages that ended is no longer asked for. Errors: not-found. */
  writeOff(box: BoxId): Promise<void> {
    const owes = ({ state }: Account): boolean => state.role === 'carrier' && state.state === 'ended'
    return this.#change(box, (account) => owes(account) && residueOf(account) > 0n, (account) => ({ ...account, writtenOff: account.writtenOff + residueOf(account) }), 'owes nothing of carriages that ended')
  }

  #change(box: BoxId, isMeant: (account: Account) => boolean, change: (account: Account) => Account, nothing: string): Promise<void> {
    const { book } = this.#tools
    return this.#order(box, nothing, async () => {
      const meant = book.all().filter((account) => partnerOf(account) === box && isMeant(account))
      if (meant.length > 0) await book.write(meant.map(change))
      return meant.length > 0
    })
  }

  /** `work`: whether there was anything to do. */
  async #order(box: BoxId, nothing: string, work: () => Promise<boolean>): Promise<void> {
    let failure: unknown = new MeshBoxError('unavailable', 'settlement with neighbours does not run', { code: 'mesh-not-started' })
    await this.#tools.run(async () => {
      try {
        failure = (await work()) ? null : new MeshBoxError('not-found', `${box} ${nothing}`, { code: 'mesh-no-carriage', field: 'box', value: box })
      } catch (error) {
        failure = error
      }
    })
    if (failure !== null) throw failure
  }
}
