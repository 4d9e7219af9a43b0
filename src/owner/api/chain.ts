/** The box's chain: where it stands, who says so, whose turn it is, and what sealing earned. Block numbers are exact JS numbers. */
import type { Money, TokenJson } from './amounts.ts'

export interface ChainPageView {
  readonly network: {
    readonly name: string
    /** Decimal. */
    readonly chainId: string
    readonly genesisHash: string
    /** A community's own chain, not a public one. */
    readonly isCommunity: boolean
    /** Between two blocks while every signer keeps its slot. */
    readonly blockSeconds: number
  }
  /**
   * `live`: two sources agree. `alone`: nobody else is there, or this box makes the chain by itself. `syncing`: behind,
   * and catching up. `offline`: no source; what is shown may be old.
   */
  readonly state: 'live' | 'alone' | 'syncing' | 'offline'
  readonly head: ChainBlockJson
  /** Seconds since the head's time stamp; null while the clock is not trusted. */
  readonly headAgeSeconds: number | null
  /** 17 and 34 blocks below the head; null while the chain is shorter. */
  readonly safe: ChainBlockJson | null
  readonly final: ChainBlockJson | null
  /** The highest block any source has told of; null when none did. */
  readonly highestNumber: number | null
  readonly sources: readonly ChainSourceJson[]
  /** How many of them have the block two below the head. */
  readonly agreeing: number
  /** Sources that provably lied, and are not asked any more. */
  readonly banned: number
  readonly round: ChainRoundJson
  /** Null: this box only verifies. */
  readonly sealer: ChainSealerJson | null
  /** Transactions that wait for a block. */
  readonly pool: { readonly transactions: number; readonly bytes: number }
  /** Not null: nothing that moves money rests on the chain until the owner has looked. */
  readonly alarm: { readonly code: 'deep-reorg' | 'checkpoint-conflict'; readonly reason: string; readonly atWallMs: number } | null
  /** Signers that sealed two blocks of one height; newest first, a few. */
  readonly equivocations: readonly { readonly number: number; readonly signer: string }[]
}

export interface ChainBlockJson {
  readonly number: number
  readonly hash: string
  readonly timeWallMs: number
  /** Null: the genesis, or where the chain was started from. */
  readonly signer: string | null
}

export interface ChainSourceJson {
  /** `eth63:203.0.113.7:60303` */
  readonly id: string
  readonly kind: 'eth63' | 'rpc' | 'local' | 'mesh'
  readonly headNumber: number | null
  /** Null: not known yet. */
  readonly agrees: boolean | null
}

/** `sealed`: by its own signer. `stood-in`: by another. `missed`: its signer let it pass. `next`: the coming block. `open`: nobody has it; a leader seals. */
export type SlotState = 'sealed' | 'stood-in' | 'missed' | 'next' | 'waiting' | 'open'

export interface ChainSlotJson {
  /** In the round, from 0. */
  readonly place: number
  /** Block of this slot. */
  readonly number: number
  /** Null: nobody has the slot, or nobody any more. */
  readonly signer: string | null
  readonly isLeader: boolean
  readonly isOwn: boolean
  readonly state: SlotState
}

export interface ChainRoundJson {
  readonly slots: readonly ChainSlotJson[]
  /** Picked for the next round so far. */
  readonly next: readonly { readonly signer: string; readonly isOwn: boolean }[]
  /** Most of `next`. */
  readonly nextLimit: number
  /** Until missed slots are forgiven. */
  readonly epochEndsInBlocks: number
}

export interface ChainSealerJson {
  readonly address: string
  /** Earnings go here. */
  readonly coinbase: string
  /** `ready`: its next slot will be sealed. `waiting`: in no round now. `stopped`: missed a slot, and starts again after the epoch. `held`: does not seal; `reason` says why. */
  readonly state: 'ready' | 'waiting' | 'stopped' | 'held'
  readonly reason: string | null
  /** Null: not in this round any more. */
  readonly nextSlotInSeconds: number | null
  /** Blocks since the service started, and slots that passed without one. */
  readonly sealed: number
  readonly missed: number
  readonly token: TokenJson
  readonly earnedToday: Money
  readonly earnedTotal: Money
  /** Of blocks that are not final yet. */
  readonly notFinal: Money
}

/** A checkpoint of the last finished round that is final, to be signed and given to other boxes. */
export interface ChainCheckpointJson {
  readonly number: number
  readonly hash: string
  /** The checkpoint as `checkpoint_file` takes it, once two keys have signed it. */
  readonly text: string
  readonly signatures: number
}

/** What the owner chooses between after an alarm: the chain as it is, and heavier branches that it did not take. */
export interface ChainBranchesJson {
  readonly head: ChainBlockJson
  readonly totalDifficulty: string
  readonly branches: readonly ChainBranchJson[]
}

export interface ChainBranchJson {
  readonly tip: ChainBlockJson
  readonly totalDifficulty: string
  /** The last block that both have. */
  readonly fork: ChainBlockJson
  /** From the fork to the tip. */
  readonly blocks: number
  /** Blocks of the present chain that it would take back, and who has sealed those. */
  readonly takesBack: number
  readonly ourSigners: readonly string[]
  readonly signers: readonly string[]
}

/** The hash of the branch's tip, whole: whoever types it has looked at it. */
export interface ChainAdoptRequest {
  readonly hash: string
}

export type ChainPocOrder = 'deposit' | 'start' | 'stop' | 'withdraw'

export interface ChainPocRequest {
  readonly order: ChainPocOrder
}

/** The miner's deposit with the contracts of the chain. */
export interface ChainPocJson {
  readonly miner: string
  readonly coinbase: string
  /** Sends the calls and pays for them; null: it is not the box's own address, so its owner sends them by himself (`calls`). */
  readonly wallet: string | null
  /** What the box works for by itself. */
  readonly goal: 'none' | 'mining' | 'stopped' | 'withdrawn'
  /** Null: not proved yet, or not looked after by this box. */
  readonly state: 'not-deposited' | 'withdrawn' | 'waiting' | 'picked' | 'active' | 'missed' | 'locked' | 'stopped' | 'foreign-owner' | null
  readonly token: TokenJson
  readonly deposit: Money | null
  readonly leastDeposit: Money | null
  readonly walletBalance: Money | null
  readonly boundTo: string | null
  /** On its way, or the last one with its end. */
  readonly action: { readonly kind: string; readonly hash: string; readonly outcome: 'mined' | 'failed' | 'dropped' | null; readonly reason: string | null } | null
  /** Why nothing happens that should. */
  readonly obstacle: string | null
  /** The block that this is proved at. */
  readonly number: number | null
}

export interface ChainPocCallsRequest {
  readonly wallet: string
}

/** Calls that a wallet outside of the box sends, with the miner's signed word for that wallet in them. */
export interface ChainPocCallsJson {
  readonly miner: string
  readonly wallet: string
  readonly calls: readonly { readonly kind: 'deposit' | 'bind'; readonly to: string; readonly data: string }[]
}

/** The box's own address on the chain. */
export interface ChainWalletJson {
  readonly address: string
  readonly token: TokenJson
  /** At the head, proved. */
  readonly balance: Money
}

export interface ChainSendRequest {
  readonly to: string
  /** In whole coins: "2.5". */
  readonly amount: string
}

export interface ChainSentJson {
  /** Of the transaction, which waits for its block now. */
  readonly hash: string
  readonly token: TokenJson
  readonly amount: Money
  readonly mostFee: Money
}
