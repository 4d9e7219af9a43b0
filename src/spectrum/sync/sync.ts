/** The parts of syncing put together: sources in, judged blocks in the tree, proved state out. */
import type { Clock, Log, Randomness, Timers } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Hash } from '../codec/fields.ts'
import type { Body } from '../codec/body.ts'
import type { Header } from '../codec/header.ts'
import type { Receipt } from '../codec/receipt.ts'
import type { Block, Chain, ChainSource, Executor, Misdeed, ProvedState, SourceListener, StateNodes, SyncStatus } from '../ports.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import { BlockImporter } from './block-importer.ts'
import { BodyReader } from './bodies.ts'
import { Follower } from './follower.ts'
import type { Breathe, ImportReport, Circle, LeaderChange } from './ports.ts'
import { StateReader } from './proved-state.ts'
import { ReceiptReader } from './receipts.ts'
import { Roster } from './roster.ts'

export interface SyncParts {
  readonly curve: Secp256k1
  readonly chain: Chain
  /** Null where this box does not execute. It keeps the state then, too. */
  readonly executor: Executor | null
  /** False while it has lost its state: blocks are then judged as by a box that does not execute. Default: always. */
  readonly canExecute?: () => boolean
  /** Where no executor keeps it: state from elsewhere on disk, or null. */
  readonly nodes: StateNodes | null
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly breathe: Breathe
  readonly log: Log
  readonly mayBeAlone: () => boolean
  /** Default 2; a community of two or three boxes has no more than one. */
  readonly agreeing?: number
  /** Which blocks' receipts are fetched where this box does not execute; default: none. */
  readonly wantsReceipts?: (header: Header, body: Body) => boolean
  readonly transactionsPushed?: (source: ChainSource, transactions: readonly Uint8Array[]) => void
  readonly leadersChanged?: (change: LeaderChange) => void
  /** For who keeps sources: close this one, and decide when it may come again. Default: closed, and a liar's id is kept out until the service ends. */
  readonly punish?: (source: ChainSource, misdeed: Misdeed) => void
  /** Where somebody knows better who has a block already; default: every source is told that has not told us. */
  readonly announceBlock?: (block: Block, totalDifficulty: bigint) => void
}

export interface Sync {
  /** Given to every kind of source. */
  readonly listener: SourceListener
  readonly state: ProvedState
  start(): void
  stop(): void
  status(): SyncStatus
  /** For a sealer: are heavier blocks on their way? Not the same as not `live`. */
  isBehind(): boolean
  /** A block that this box sealed: judged like any other, kept, and told to the sources. */
  importOwn(block: Block): Promise<ImportReport>
  /** Trie nodes and code by hash, each checked; without those that nobody has. */
  nodes(hashes: readonly Hash[], circle?: Circle): Promise<readonly Uint8Array[]>
  /** Null: nobody has them now. */
  receipts(block: KnownHeader, circle?: Circle): Promise<readonly Receipt[] | null>
  /** Of one that this box keeps no more. Null: nobody has it now. */
  body(block: KnownHeader): Promise<Body | null>
}

export function createSync(parts: SyncParts): Sync {
  const { curve, chain, executor, clock, timers, log } = parts
  const { network } = chain
  const roster = new Roster(clock, log, parts.punish)
  const state = new StateReader({ keccak: curve, network, kept: executor ?? parts.nodes, sources: roster, clock, timers })
  const receipts = new ReceiptReader({ curve, network, sources: roster, timers })
  const bodies = new BodyReader({ keccak: curve, sources: roster, timers })
  const { wantsReceipts, leadersChanged, transactionsPushed, agreeing, announceBlock } = parts
  const importer = new BlockImporter({
    curve,
    network,
    chain,
    state,
    get executor() {
      return parts.canExecute?.() === false ? null : executor
    },
    clock,
    randomness: parts.randomness,
    breathe: parts.breathe,
    announce: (block, hash, totalDifficulty, from) => follower.announced(block, hash, totalDifficulty, from),
    ...(wantsReceipts === undefined ? {} : { receiptsOf: (block: KnownHeader, body: Body) => (wantsReceipts(block.header, body) ? receipts.of(block) : Promise.resolve(null)) }),
    ...(leadersChanged === undefined ? {} : { leadersChanged }),
  })
  const follower = new Follower({
    keccak: curve,
    chain,
    importer,
    roster,
    clock,
    timers,
    log,
    mayBeAlone: parts.mayBeAlone,
    ...(agreeing === undefined ? {} : { agreeing }),
    ...(announceBlock === undefined ? {} : { announceBlock }),
    ...(transactionsPushed === undefined ? {} : { transactionsPushed }),
  })
  return {
    listener: follower,
    state,
    start: () => follower.start(),
    stop: () => follower.stop(),
    status: () => follower.status(),
    isBehind: () => follower.isBehind(),
    importOwn: (block) => importer.importOwn(block),
    nodes: (hashes, circle) => state.nodes(hashes, circle),
    receipts: (block, circle) => receipts.of(block, circle),
    body: (block) => bodies.of(block),
  }
}
