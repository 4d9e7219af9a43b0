/** What of the devices lies on disk. Every verb runs inside somebody's turn. Made by io/tables.ts. */
import type { ReadTx, Tx } from '../../store/index.ts'
import type { Device, DevAddr, Eui, QueueItem, SessionKeys } from '../ports.ts'
import type { NetworkSession } from './session.ts'

export interface NetworkRows {
  devices(tx: ReadTx): readonly KeylessDevice[]
  countDevices(tx: ReadTx): number
  device(tx: ReadTx, devEui: Eui): KeylessDevice | null
  /** Null: no such device, or ABP. */
  rootKey(tx: ReadTx, devEui: Eui): Uint8Array | null
  putDevice(tx: Tx, device: Device): void
  /** With session, nonces and queue. What no later life of this device may use again stays: JoinNonce, counters. */
  removeDevice(tx: Tx, devEui: Eui): boolean

  session(tx: ReadTx, devEui: Eui): NetworkSession | null
  sessions(tx: ReadTx): readonly NetworkSession[]
  /** At most `limit`, in order of DevEUI, after `after`. */
  candidates(tx: ReadTx, devAddr: DevAddr, after: Eui, limit: number): readonly Candidate[]
  sessionKeys(tx: ReadTx, devEui: Eui): SessionKeys | null
  /** A new life, in place of the one before. */
  startSession(tx: Tx, session: NetworkSession, keys: SessionKeys): void
  keysMark(keys: SessionKeys): string
  /** Nobody speaks under it any more; its counters stay known. */
  retireSession(tx: Tx, devEui: Eui): void
  /** The same life, a step on. */
  saveSession(tx: Tx, session: NetworkSession): void
  isDevAddrTaken(tx: ReadTx, devAddr: DevAddr): boolean
  /** Number and counters of the last life, also of a device that was removed. */
  lastLife(tx: ReadTx, devEui: Eui): LastLife | null

  /** `unused`: false when it was used before (the last 10,000 count). `greater`: false unless it is greater than the last. */
  useDevNonce(tx: Tx, devEui: Eui, devNonce: number, rule: 'unused' | 'greater'): boolean
  forgetDevNonces(tx: Tx, devEui: Eui): void
  /** 24 bits, only grows; null: all were used. */
  nextJoinNonce(tx: Tx, devEui: Eui): number | null

  /** All that is kept: waiting, and the last 32 that were. Oldest first. */
  queue(tx: ReadTx, devEui: Eui): readonly QueueItem[]
  /** The oldest that waits. */
  head(tx: ReadTx, devEui: Eui): QueueItem | null
  queueItem(tx: ReadTx, queueId: number): QueueItem | null
  addQueueItem(tx: Tx, item: Omit<QueueItem, 'queueId'>): QueueItem
  saveQueueItem(tx: Tx, item: QueueItem): void
  /** Waiting, by device; those with none are left out. */
  waiting(tx: ReadTx): ReadonlyMap<Eui, number>

  /** False at the first start and after an unclean end. From now on the run counts as unclean, until `endRun`. */
  beginRun(tx: Tx): boolean
  endRun(tx: Tx): void
  /** All counters down + `by`. Number of sessions. */
  skipDownCounters(tx: Tx, by: number): number
  /** The first of `count` downlink ids that were never given out. */
  reserveDownlinkIds(tx: Tx, count: number): number
}

/** Keys are opened for a cipher, and for nothing else. */
export type KeylessDevice = Omit<Device, 'appKey' | 'rootKey'>

/** What a frame is matched with: a session without what only its own frames need. */
export interface Candidate {
  readonly devEui: Eui
  readonly number: number
  readonly fCntUp: number
  readonly allowsCounterReset: boolean
}

export interface LastLife {
  /** Of its keys: whether another life has the same ones. */
  readonly keysMark: string
  readonly number: number
  readonly devAddr: DevAddr
  readonly fCntUp: number
  readonly fCntDown: number
}
