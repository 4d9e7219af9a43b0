/**
 * A checkpoint is signed, and still is proved against the state in its own header as soon as somebody can be asked
 * for it (spec 6): signers, leaders and limits must be the ones it names. Where nobody has that state any more, the
 * signatures are all there is, and the log says so.
 */
import { asError } from '../base/index.ts'
import type { Cancel, Log, Timers } from '../base/index.ts'
import { proveCheckpoint } from './chain/index.ts'
import type { ChainStart, KeptChain } from './chain/index.ts'
import type { ProvedState } from './ports.ts'

export interface StartProofParts {
  readonly chain: Pick<KeptChain, 'network' | 'disputeCheckpoint'>
  readonly start: ChainStart
  readonly state: Pick<ProvedState, 'round'>
  readonly timers: Timers
  readonly log: Log
}

const FIRST_TRY_MS = 5_000
const LONGEST_WAIT_MS = 3_600_000
/** With doubled waits: half a day. */
const TRIES = 20

/** Tries until it is proved, disputed (alarm `checkpoint-conflict`), or nobody could be asked for half a day. */
export function proveStart({ chain, start, state, timers, log }: StartProofParts): Cancel {
  const { header } = start.known
  let isOver = header.number === 0 // a genesis is proved by its hash
  let cancelWait: Cancel = () => undefined
  const attempt = async (left: number, waitMs: number): Promise<void> => {
    const proof = await proveCheckpoint({ chainId: chain.network.chainId, genesisHash: chain.network.genesisHash, known: start.known, totalDifficulty: start.totalDifficulty, round: start.round }, (at) => state.round(at))
    if (isOver) return
    if (proof.ok) log.info('the checkpoint is proved by its state', { number: header.number })
    else if (proof.code === 'round-differs') await chain.disputeCheckpoint(proof.reason)
    else if (left > 0) wait(left, waitMs)
    else log.warn('nobody has the state of the checkpoint: it stands by its signatures alone', { number: header.number })
  }
  const wait = (left: number, waitMs: number): void => {
    cancelWait = timers.after(waitMs, () => {
      attempt(left - 1, Math.min(2 * waitMs, LONGEST_WAIT_MS)).catch((error: unknown) => log.error('the checkpoint could not be proved', { number: header.number, error: asError(error) }))
    })
  }
  if (!isOver) wait(TRIES, FIRST_TRY_MS)
  return () => {
    isOver = true
    cancelWait()
  }
}
