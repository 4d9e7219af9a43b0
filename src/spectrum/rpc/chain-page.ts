/** What a page about the chain shows, but for money and names: where the chain stands, who agrees, whose turn it is. */
import type { Address, Hash } from '../codec/fields.ts'
import { PUBLIC_NETWORKS } from '../network/networks.ts'
import type { ChainBlock, ChainView, SyncStatus } from '../ports.ts'
import { blockRewardWei } from '../rules/economy.ts'
import { pictureRound } from './round-picture.ts'
import type { RoundPicture } from './round-picture.ts'

export interface PagedBlock {
  readonly number: number
  readonly hash: Hash
  readonly timeWallMs: number
  readonly signer: Address | null
}

export interface ChainPage {
  /** `chainId`: decimal. */
  readonly network: { readonly name: string; readonly chainId: string; readonly genesisHash: Hash; readonly isCommunity: boolean; readonly blockSeconds: number }
  readonly state: SyncStatus['state']
  readonly head: PagedBlock
  readonly headAgeSeconds: number | null
  readonly safe: PagedBlock | null
  readonly final: PagedBlock | null
  readonly highestNumber: number | null
  readonly sources: readonly { readonly id: string; readonly kind: 'eth63' | 'rpc' | 'local' | 'mesh'; readonly headNumber: number | null; readonly agrees: boolean | null }[]
  readonly agreeing: number
  readonly banned: number
  readonly round: RoundPicture
}

const KINDS = ['eth63', 'rpc', 'local', 'mesh'] as const

/** `own`: this box's miner; null where it has none. */
export function pageOfChain(chain: ChainView, status: SyncStatus, own: Address | null): ChainPage {
  const { network } = chain
  const [safe, final] = [chain.safe(), chain.final()]
  const heights = status.sources.flatMap((source) => (source.headNumber === null ? [] : [source.headNumber]))
  return {
    network: {
      name: network.name,
      chainId: network.chainId.toString(),
      genesisHash: network.genesisHash,
      isCommunity: !PUBLIC_NETWORKS.some((known) => known.genesisHash === network.genesisHash),
      // While every signer keeps its slot (SIP002).
      blockSeconds: network.periodSeconds - 1,
    },
    state: status.state,
    head: paged(chain.head()),
    headAgeSeconds: status.headAgeSeconds,
    safe: safe === null ? null : paged(safe),
    final: final === null ? null : paged(final),
    highestNumber: heights.length === 0 ? null : Math.max(...heights),
    sources: status.sources.map(({ id, kind, headNumber, agrees }) => ({ id, kind: KINDS.find((known) => known === kind) ?? 'mesh', headNumber, agrees })),
    agreeing: status.agreeing,
    banned: status.banned,
    round: pictureRound(chain, own),
  }
}

function paged({ header, hash, signer }: ChainBlock): PagedBlock {
  return { number: header.number, hash, timeWallMs: header.timeSeconds * 1000, signer }
}

/** Seconds until this box's next own slot, if every signer keeps its slot; null: it has none left in this round. */
export function secondsToOwnSlot(page: ChainPage): number | null {
  const next = page.round.slots.find((slot) => slot.isOwn && slot.number > page.head.number)
  return next === undefined ? null : Math.max(0, (next.number - page.head.number) * page.network.blockSeconds - (page.headAgeSeconds ?? 0))
}

/** Block rewards of this box's blocks above the final one: what it will have when nothing takes them back. */
export function rewardNotFinalWei(chain: Pick<ChainView, 'network' | 'head' | 'final' | 'block'>, own: Address): bigint {
  const final = chain.final()?.header.number ?? 0
  let sum = 0n
  for (let block: ChainBlock | null = chain.head(); block !== null && block.header.number > final; block = chain.block(block.header.parentHash))
    if (block.signer === own) sum += blockRewardWei(chain.network, block.header.number)
  return sum
}
