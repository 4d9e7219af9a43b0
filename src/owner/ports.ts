/** What the owner's side needs from the rest of the house; handed in by main.ts. */
import type { Clock, Log, Randomness } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { OwnerDesk } from '../hotspot/index.ts'
import type { Identity, OwnerPassword, VoucherKeyring } from '../identity/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Store } from '../store/index.ts'
import type { ReloadReportJson } from './api/amounts.ts'
import type { ChainBranchesJson, ChainCheckpointJson, ChainPageView, ChainPocCallsJson, ChainPocJson, ChainPocOrder, ChainSentJson, ChainWalletJson } from './api/chain.ts'
import type { SystemFacts } from './api/status.ts'
import type { LogRing } from './log-ring.ts'
import type { AuditPort } from './audit.ts'
import type { IotPort } from './iot.ts'
import type { JoinDesk, MeshPort } from './mesh.ts'
import type { PayoutPort } from './payout.ts'
import type { PhotonPort } from './photon.ts'

export interface ConfigDoor {
  /** What is in force. */
  current(): Config
  /** The configuration file as it is on disk. */
  text(): string
  /**
   * Checks `text`, replaces the file (atomically) and puts it in force. Rejects with a ConfigError and
   * changes nothing when the text is not a valid configuration.
   */
  save(text: string): Promise<ReloadReportJson>
  /** Re-reads the file, as SIGHUP does. */
  reload(): Promise<ReloadReportJson>
}

/** The box's chain, as its owner asks for it. */
export interface ChainDesk {
  page(): ChainPageView
  clearAlarm(): Promise<ChainPageView>
  /** Errors: unavailable `no-checkpoint`. */
  checkpoint(): ChainCheckpointJson
  branches(): ChainBranchesJson
  /** `hash`: of a branch's tip, `0x` and 64 hex digits. Errors: input `hash`. */
  adopt(hash: string): Promise<ChainPageView>
  /** What the box's own address has on the chain. Errors: unavailable. */
  wallet(): Promise<ChainWalletJson>
  /** From there. `amount`: decimal coins. Errors: input; conflict `not-enough`, `chain-alarm`, the pool's; unavailable. */
  send(to: string, amount: string): Promise<ChainSentJson>
  /** The miner's deposit. Errors: conflict `not-a-sealer`. */
  poc(): ChainPocJson
  /** Errors: conflict with what stands in its way, unavailable where nothing can be proved now. */
  pocOrder(order: ChainPocOrder): Promise<ChainPocJson>
  /** Errors: input `wallet`. */
  pocCalls(wallet: string): ChainPocCallsJson
}

export interface OwnerPorts {
  /** null while the hotspot role is off. */
  readonly desk: OwnerDesk | null
  /** null while the box follows no chain. */
  readonly chain: ChainDesk | null
  /** null, or left out, while the box has no payment channels. */
  readonly photon?: PhotonPort | null
  /** null, or left out, while the box is in no mesh. */
  readonly mesh?: MeshPort | null
  /** null, or left out, where the router's files are not ours to change. */
  readonly joining?: JoinDesk | null
  /** null, or left out, while the box has no IoT. */
  readonly iot?: IotPort | null
  /** null, or left out, where shares are not paid. */
  readonly payouts?: PayoutPort | null
  /** Left out where the books are not compared. */
  readonly audit?: AuditPort | null
  readonly ledger: Pick<Ledger, 'totals' | 'statements' | 'balance' | 'entries'>
  readonly store: Pick<Store, 'read' | 'backup' | 'stats'>
  readonly identity: Pick<Identity, 'address' | 'addressFor' | 'publicKey' | 'revealRecoveryWords' | 'recoveryWordsShown' | 'backend'>
  readonly voucherKeys: Pick<VoucherKeyring, 'publicKey' | 'revealVoucherWords' | 'adoptVoucherWords'>
  readonly password: OwnerPassword
  readonly config: ConfigDoor
  readonly clock: Clock
  readonly randomness: Randomness
  readonly log: Log
  readonly ring: LogRing
  readonly version: string
  /** What the machine says about itself now (io/system-facts.ts). */
  readonly facts: () => SystemFacts
  /** Who vouches for the wall clock now, e.g. `ntp`, `owner` (TimeTrust.sources). */
  readonly timeSources: () => readonly string[]
  /** The browser of a logged-in owner said what time it is. */
  readonly observeOwnerClock: (wallMs: number) => void
}
