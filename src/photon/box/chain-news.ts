/**
 * From the follower to all who have to hear: in the order of the chain, and the position is on disk only when everybody
 * has heard. A block that is told twice changes nothing.
 */
import type { Address } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import { channelFollower, loadPosition, savePosition, v2LogReader } from '../chain/index.ts'
import type { DutyDesk, Follower, FollowerOptions, ToldEvent } from '../chain/index.ts'
import type { PhotonNode } from '../node/index.ts'
import type { ChainPoint, ChainPort, ChannelEvent } from '../ports.ts'

export interface ChainNewsOptions {
  readonly chain: ChainPort
  readonly keccak: (data: Uint8Array) => Uint8Array
  readonly contract: Address
  readonly registry: Address
  /** Default: our contract's logs. */
  readonly read?: FollowerOptions['read']
  readonly firstBlock: number
  readonly store: Store
  readonly node: PhotonNode
  readonly duties: DutyDesk
  /** Everybody else, e.g. watchers; awaited. */
  heard(event: ChannelEvent): Promise<void>
  rewarded(event: Extract<ToldEvent, { kind: 'rewarded' }>): Promise<void>
  /** Before `heard`: of a channel's opening, to whoever keeps the channels. */
  opened(event: Extract<ChannelEvent, { kind: 'opened' }>): Promise<void>
  /** What was told last is not in the chain any more: somebody has to look. */
  lost(number: number): void
  failed(thrown: unknown): void
  /** From then on no further block is read. */
  isStopped(): boolean
}

/** Of blocks in which nothing happened only each so many is written down: a crash costs reading them again. */
const QUIET_BLOCKS = 64

export interface ChainNews {
  readonly follower: Follower
  /** Blocks after the last that was told, and not kept any more; to be made good before the follower starts. */
  readonly gap: { readonly from: number; readonly to: number } | null
  /** Nothing was ever told, and the contract's first blocks are not kept any more. */
  readonly isLate: boolean
}

/** To be made when the chain has a safe block. */
export function followNews(options: ChainNewsOptions): ChainNews {
  const { chain, keccak, contract, registry, store, node, duties } = options
  const saved = store.read((tx) => loadPosition(tx, contract))
  const next = saved === null ? options.firstBlock : saved.number + 1
  const readable = firstReadable(chain, next)

  const take = async (point: ChainPoint, events: readonly ToldEvent[]): Promise<void> => {
    const isQuiet = events.length === 0
    if (isQuiet && point.number % QUIET_BLOCKS !== 0 && point.number !== chain.safe()?.number) return
    // Whose token a reward is in is known as long as the channel is: before its end is told.
    for (const event of events) if (event.kind === 'rewarded') await options.rewarded(event)
    for (const event of events) {
      if (event.kind === 'rewarded') continue
      if (event.kind === 'secret') await node.onSecretEvent(event)
      else {
        if (event.kind === 'opened') await options.opened(event)
        else await node.onChannelEvent(event)
        await options.heard(event)
      }
    }
    await store.turn((tx) => {
      savePosition(tx, contract, point)
      duties.noteEvents(tx, events)
    })
  }
  const follower = channelFollower({
    chain: {
      safe: () => chain.safe(),
      at: (number) => chain.at(number),
      logs: async (point) => (options.isStopped() ? null : chain.logs(point)),
      onHead: (listener) => chain.onHead(listener),
    },
    read: options.read ?? v2LogReader(keccak, contract, registry),
    firstBlock: Math.max(options.firstBlock, readable),
    sink: {
      position: () => (saved === null || readable > next ? null : saved),
      take,
      lost: (number) => options.lost(number),
      failed: options.failed,
    },
  })
  return { follower, gap: saved !== null && readable > next ? { from: next, to: readable - 1 } : null, isLate: saved === null && readable > next }
}

/** For a contract whose storage cannot be read instead: what was missed is told, and the follower goes on behind it. */
export function chainNews(options: Omit<ChainNewsOptions, 'opened' | 'lost'> & { readonly missed: (code: 'chain-lost' | 'chain-gap', text: string) => void }): Follower {
  const { node, missed } = options
  const { follower, gap } = followNews({
    ...options,
    opened: (event) => node.onChannelEvent(event),
    lost: (number) => missed('chain-lost', `block ${number}, which money rests on, is not in the chain any more: channels stand still. Look at the chain's alarm, then at each channel`),
  })
  if (gap !== null) missed('chain-gap', `blocks ${gap.from} to ${gap.to} are not kept any more: what happened to channels there was not seen. Look at each channel, and close it if in doubt`)
  return follower
}

/** `wanted`, or the lowest block above it that is still kept. */
function firstReadable(chain: Pick<ChainPort, 'safe' | 'at'>, wanted: number): number {
  const safe = chain.safe()
  if (safe === null || safe.number < wanted || chain.at(wanted) !== null) return wanted
  let [low, high] = [wanted, safe.number]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (chain.at(middle) === null) low = middle
    else high = middle
  }
  return high
}

