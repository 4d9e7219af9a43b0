/**
 * Reads the contract's logs block by block, in order, as deep as they may be trusted, and tells what they say. The
 * sink stores what it makes of a block together with the position, or stores the same thing when it is told twice:
 * after a crash the block is told again.
 */
import type { Cancel } from '../../base/index.ts'
import type { ChainLog, ChainPoint, ChainPort } from '../ports.ts'
import type { LogReader, ToldEvent } from './events.ts'
import { followStep } from './follow.ts'
import type { FollowPosition } from './follow.ts'

export interface FollowSink {
  /** Null: never run before. */
  position(): FollowPosition | null
  /** Resolves when everything is on disk, the position with it. Blocks without events come too, with none. */
  take(point: ChainPoint, events: readonly ToldEvent[]): Promise<void>
  /** What was told is not in the chain any more: channels must stop. Told once. */
  lost(number: number): void
  /** The port or the sink failed; it is tried again with the next head. */
  failed(thrown: unknown): void
}

/** Reads all logs of a block, in their order: for a contract whose logs do not say everything. Null: not to be had now. */
export interface BlockReader {
  readBlock(point: ChainPoint, logs: readonly ChainLog[]): Promise<readonly ToldEvent[] | null>
}

export interface FollowerOptions {
  readonly chain: Pick<ChainPort, 'safe' | 'at' | 'logs' | 'onHead'>
  readonly read: LogReader | BlockReader
  /** The block of the contract's creation. */
  readonly firstBlock: number
  readonly sink: FollowSink
}

export interface Follower {
  /** The newest block that was told; −1 and so on where none was. */
  readonly position: number
  /** Resolves when there is nothing more to tell now. Never rejects. */
  catchUp(): Promise<void>
  /** On each head from now on. */
  start(): Cancel
}

export function channelFollower(options: FollowerOptions): Follower {
  const { chain, read, firstBlock, sink } = options
  let position = sink.position() ?? { number: firstBlock - 1, hash: null }
  let running: Promise<void> | null = null
  let isAskedAgain = false
  let isLost = false

  const readOn = async (): Promise<void> => {
    while (!isLost) {
      const step = followStep(position, chain.safe(), (number) => chain.at(number))
      if (step.kind === 'wait') return
      if (step.kind === 'lost') {
        isLost = true
        return sink.lost(step.number)
      }
      const logs = await chain.logs(step.point)
      if (logs === null) return
      const inOrder = [...logs].sort((a, b) => a.logIndex - b.logIndex)
      const events = typeof read === 'function' ? inOrder.flatMap((log) => read(log, step.point.number)) : await read.readBlock(step.point, inOrder)
      if (events === null) return
      await sink.take(step.point, events)
      position = { number: step.point.number, hash: step.point.hash }
    }
  }
  const run = async (): Promise<void> => {
    do {
      isAskedAgain = false
      await readOn().catch((thrown: unknown) => sink.failed(thrown))
    } while (isAskedAgain)
    running = null
  }
  const catchUp = (): Promise<void> => {
    isAskedAgain = running !== null
    running ??= run()
    return running
  }
  return { get position() { return position.number }, catchUp, start: () => chain.onHead(() => void catchUp()) }
}
