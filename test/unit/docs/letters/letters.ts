import { MeshBoxError, momentOf } from '../../../../src/base/index.ts'
import type { Clock } from '../../../../src/base/index.ts'
import type { Ledger } from '../../../../src/ledger/index.ts'
import type { Store } from '../../../../src/store/index.ts'
import { countLetters, putLetter, readLetter } from './io/tables.ts'
import { priceOf, refusal } from './letter.ts'
import type { LetterPayments } from './ports.ts'

export interface LettersParts {
  readonly store: Store
  readonly ledger: Pick<Ledger, 'earn'>
  readonly payments: LetterPayments
  readonly clock: Clock
  readonly token: string
  /** Smallest units for a KiB and a day. */
  readonly price: bigint
}

export class Letters {
  readonly #parts: LettersParts

  constructor(parts: LettersParts) {
    this.#parts = parts
  }

  /** Resolves when the letter and what it earned are on disk. Any number of times with one outcome. Errors: input; conflict `no-room`, `unpaid`. */
  async keep(reference: string, body: Uint8Array, days: number): Promise<void> {
    const { store, ledger, payments, clock, token, price } = this.#parts
    await store.turn((tx) => {
      if (readLetter(tx, reference) !== null) return
      const shelf = { letters: countLetters(tx), price }
      const due = priceOf(body.length, days, shelf)
      const why = refusal(payments.paid(reference, token), due, shelf)
      if (why !== null) throw new MeshBoxError('conflict', `the letter is not kept: ${why}; it costs ${due}`, { code: why })
      putLetter(tx, reference, body, days)
      if (due > 0n) ledger.earn(tx, { source: 'letters:kept', token, amount: due, from: 'channel:letters', evidence: { type: 'letter', id: reference }, at: momentOf(clock) })
    })
  }

  read(reference: string): Uint8Array | null {
    return this.#parts.store.read((tx) => readLetter(tx, reference))
  }
}
