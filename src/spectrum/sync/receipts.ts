/** Receipts of a block that this box does not execute, held against its header. */
import { MeshBoxError, decodeRlp } from '../../base/index.ts'
import type { RlpLimits, Timers } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import { listField } from '../codec/fields.ts'
import { MAX_RECEIPT_BYTES, receiptOf } from '../codec/receipt.ts'
import type { Receipt } from '../codec/receipt.ts'
import type { Network } from '../network/network.ts'
import type { ChainSource } from '../ports.ts'
import { verifyReceipts } from '../rules/verify-body.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import { Questions, SourceFault, lie } from './ask.ts'
import { within } from './ports.ts'
import type { Circle, SourcePool } from './ports.ts'

/** Room for the logs of a full block (codec/receipt.ts) and its receipts' own fields. */
const LIMITS: RlpLimits = { maxBytes: MAX_RECEIPT_BYTES, maxItems: 600_000, maxDepth: 5 }

export interface ReceiptReaderParts {
  readonly curve: Secp256k1
  readonly network: Network
  readonly sources: SourcePool
  readonly timers: Timers
}

export class ReceiptReader {
  readonly #parts: ReceiptReaderParts
  readonly #questions: Questions

  constructor(parts: ReceiptReaderParts) {
    this.#parts = parts
    this.#questions = new Questions(parts.timers)
  }

  /** Null: nobody has them now. Whoever sends wrong ones for a verified header lies. */
  async of(block: KnownHeader, circle: Circle | null = null): Promise<readonly Receipt[] | null> {
    for (const source of within(circle, this.#parts.sources.usable())) {
      try {
        const receipts = await this.#askOne(source, block)
        if (receipts !== null) return receipts
      } catch (thrown) {
        if (!(thrown instanceof SourceFault)) throw thrown
        this.#parts.sources.complain(source, thrown.misdeed)
      }
    }
    return null
  }

  async #askOne(source: ChainSource, block: KnownHeader): Promise<readonly Receipt[] | null> {
    const [bytes] = await this.#questions.receipts(source, [block.hash])
    if (bytes === null || bytes === undefined) return null
    const receipts = decodeReceipts(bytes)
    const judged = verifyReceipts(this.#parts.curve, this.#parts.network, block.header, receipts)
    // A first receipt that says "failed" and fits the root is the sealer's fault, not that of who passes it on.
    if (!judged.ok && judged.code === 'errChiefTxFailed') return null
    if (!judged.ok) throw lie(`receipts of block ${block.header.number}: ${judged.code}: ${judged.reason}`)
    return receipts
  }
}

/** RLP of a block's list. Errors: SourceFault. */
function decodeReceipts(bytes: Uint8Array): readonly Receipt[] {
  try {
    return listField(decodeRlp(bytes, LIMITS, 'receipts'), 'receipts').map(receiptOf)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) throw lie(`not receipts: ${thrown.message}`)
    throw thrown
  }
}
