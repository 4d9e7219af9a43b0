/** Why partners did not want to settle together: on disk, until they are asked again or the channel has another life. */
import type { Hash, Log } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { ChannelView } from '../desk.ts'
import type { ChannelKey } from '../ports.ts'
import { dropNote, putNote, readNotes } from './note-table.ts'

type Refusal = NonNullable<ChannelView['closeRefusal']>

const PREFIX = 'refused/'
/** A partner's words are for people to read. */
const MAX_REASON_CHARS = 256
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu

export class CloseRefusals {
  readonly #store: Store
  readonly #log: Log
  readonly #known = new Map<Hash, Refusal & { readonly epoch: bigint }>()

  constructor(store: Store, log: Log) {
    this.#store = store
    this.#log = log
    for (const [channel, text] of store.read((tx) => readNotes(tx, PREFIX))) {
      const [epoch = '0', code = '0', ...words] = text.split(' ')
      this.#known.set(channel as Hash, { epoch: BigInt(epoch), code: Number(code), reason: words.join(' ') })
    }
  }

  of({ channel, epoch }: ChannelKey): Refusal | null {
    const known = this.#known.get(channel)
    return known?.epoch === epoch ? { code: known.code, reason: known.reason } : null
  }

  /** Never rejects: it is for people, and shown now in any case. */
  async note({ channel, epoch }: ChannelKey, { code, reason }: Refusal): Promise<void> {
    const shown = reason.replace(UNPRINTABLE, ' ').slice(0, MAX_REASON_CHARS)
    this.#known.set(channel, { epoch, code, reason: shown })
    try {
      await this.#store.turn((tx) => putNote(tx, `${PREFIX}${channel}`, `${epoch} ${code} ${shown}`))
    } catch (error) {
      this.#log.warn('why a partner does not settle could not be kept', { channel, error })
    }
  }

  async forget(channel: Hash): Promise<void> {
    if (!this.#known.delete(channel)) return
    await this.#store.turn((tx) => dropNote(tx, `${PREFIX}${channel}`))
  }
}
