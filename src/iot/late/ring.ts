/**
 * Store and forward: frames that could not be handed over while it mattered. They wait on disk in their order, at most so many bytes of all tenants
 * together; when it is full the oldest frame of whoever has most of it goes and is counted, so that one tenant's dead server does not cost
 * another his frames. They leave by a channel of their own, flagged late: no counter, no MAC command and no answer ever comes of them.
 */
import { createHash } from 'node:crypto'
import { MeshBoxError, inputError } from '../../base/index.ts'
import type { Moment } from '../../base/index.ts'
import type { ReadTx, Tx } from '../../store/index.ts'
import type { Heard, TenantId } from '../ports.ts'
import { decodeHeard, encodeHeard } from './heard-record.ts'
import { addLate, addToStat, biggestHolder, forgetLateBefore, lateOf, lateStats, oldestLate, removeAllLate, removeLate } from './io/tables.ts'

export const MAX_LATE_BYTES = 16 * 1024 * 1024
/** What a row takes beside its record: head, moment, index. */
const ROW_BYTES = 96
/** What nobody took for so long, nobody wants any more. */
const MAX_LATE_AGE_MS = 30 * 24 * 3_600_000
/** Which antennas heard it, beyond the best, is of little use later. */
const KEPT_COPIES = 3

export interface LateStats {
  readonly frames: number
  readonly bytes: number
  readonly lost: bigint
}

export class LateFrames {
  readonly #maxBytes: number

  /** `maxBytes` 0: nothing is kept. Errors: input above 16 MiB. */
  constructor(maxBytes: number) {
    if (!Number.isInteger(maxBytes) || maxBytes < 0 || maxBytes > MAX_LATE_BYTES) throw inputError('late-bytes', maxBytes, `0 (nothing) to ${MAX_LATE_BYTES}`)
    this.#maxBytes = maxBytes
  }

  readonly encode = (heard: Heard): Uint8Array => encodeHeard(heard)
  /** Errors: input. */
  readonly decode = (record: Uint8Array): Heard => decodeHeard(record, (phy) => createHash('sha256').update(phy).digest('hex'))

  append(tx: Tx, tenant: TenantId, heard: Heard, at: Moment): void {
    const record = encodeHeard(heard, KEPT_COPIES)
    const bytes = record.length + ROW_BYTES
    if (bytes > this.#maxBytes) return addToStat(tx, tenant, 0, 0, 1)
    addLate(tx, tenant, record, bytes, at)
    addToStat(tx, tenant, 1, bytes, 0)
    for (let total = lateStats(tx).bytes; total > this.#maxBytes; ) {
      const holder = biggestHolder(tx)
      const oldest = holder === null ? null : oldestLate(tx, holder)
      if (holder === null || oldest === null) throw new MeshBoxError('internal', `the late ring counts ${total} bytes and holds none`, { code: 'late-miscounted' })
      removeLate(tx, holder, oldest.seq)
      addToStat(tx, holder, -1, -oldest.bytes, 1)
      total -= oldest.bytes
    }
  }

  /** In the order in which they were heard, those of one run of the machine after those of the run before; nothing is taken away but what cannot be read any more, which counts as lost. */
  peek(tx: Tx, tenant: TenantId, limit: number): readonly { readonly seq: bigint; readonly heard: Heard; readonly at: Moment }[] {
    return lateOf(tx, tenant, limit).flatMap(({ seq, bytes, record, at }) => {
      try {
        return [{ seq: BigInt(seq), heard: this.decode(record), at }]
      } catch (thrown) {
        if (!(thrown instanceof MeshBoxError)) throw thrown
        removeLate(tx, tenant, seq)
        addToStat(tx, tenant, -1, -bytes, 1)
        return []
      }
    })
  }

  /** It was handed over. False: it is not there (any more). */
  remove(tx: Tx, tenant: TenantId, seq: bigint): boolean {
    const bytes = removeLate(tx, tenant, Number(seq))
    if (bytes === null) return false
    addToStat(tx, tenant, -1, -bytes, 0)
    return true
  }

  /** All of a tenant's that was ended. The number of frames. */
  forget(tx: Tx, tenant: TenantId): number {
    return removeAllLate(tx, tenant)
  }

  /** Of all tenants what is older than 30 days, which counts as lost; the first `limit` frames are looked at. The number of frames. */
  forgetOld(tx: Tx, now: Moment, limit: number): number {
    const gone = forgetLateBefore(tx, now, MAX_LATE_AGE_MS, limit)
    for (const { tenant, bytes } of gone) addToStat(tx, tenant, -1, -bytes, 1)
    return gone.length
  }

  count(tx: ReadTx, tenant: TenantId): number {
    return lateStats(tx, tenant).frames
  }

  /** Of one tenant, or of all. */
  stats(tx: ReadTx, tenant?: TenantId): LateStats {
    const { frames, bytes, lost } = lateStats(tx, tenant)
    return { frames, bytes, lost: BigInt(lost) }
  }
}
