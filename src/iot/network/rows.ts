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
  /** 1.1's; null: it has none. */
  appKey(tx: ReadTx, devEui: Eui): Uint8Array | null
  putDevice(tx: Tx, device: Device): void
  /** With session, nonces and queue. What no later life of this device may use again stays: JoinNonce, counters. */
  removeDevice(tx: Tx, devEui: Eui): boolean

  session(tx: ReadTx, devEui: Eui): NetworkSession | null
  sessions(tx: ReadTx): readonly NetworkSession[]
  /** At most `limit`, in order of DevEUI, after `after`. */
  candidates(tx: ReadTx, devAddr: DevAddr, after: Eui, limit: number): readonly Candidate[]
  /** Of the session with that number: in use, or offered. */
  sessionKeys(tx: ReadTx, devEui: Eui, number: number): SessionKeys | null
  /** A new life, in place of the one before. */
  startSession(tx: Tx, session: NetworkSession, keys: SessionKeys): void
  keysMark(keys: SessionKeys): string
  /** Nobody speaks under it any more; its counters stay known. One that was offered is forgotten. */
  retireSession(tx: Tx, devEui: Eui): void
  /** The same life, a step on. */
  saveSession(tx: Tx, session: NetworkSession): void
  /** By a session in use, or an offered one. */
  isDevAddrTaken(tx: ReadTx, devAddr: DevAddr): boolean
  /** Number and counters of the last life, also of a device that was removed. */
  lastLife(tx: ReadTx, devEui: Eui): LastLife | null
  /** Greater than that of any session of the device, in use, offered or ended. */
  nextNumber(tx: ReadTx, devEui: Eui): number

  /** 1.1: what the last accept offered, beside the session in use until the device speaks under it. In place of the one offered before. */
  offerSession(tx: Tx, session: NetworkSession, keys: SessionKeys): void
  offered(tx: ReadTx, devEui: Eui): NetworkSession | null
  offeredAt(tx: ReadTx, devAddr: DevAddr): readonly Candidate[]
  /** The offered session is the one in use; the one before is gone. */
  takeOffered(tx: Tx, devEui: Eui): void
  /** 1.1: false unless it is greater than the last. `session`: its number for RJcount0, which starts again with each; null for RJcount1, which never does. */
  useRejoinCount(tx: Tx, devEui: Eui, session: number | null, count: number): boolean

  /** `unused`: false when it was used before (the last 10,000 count). `greater`: false unless it is greater than the last. */
  useDevNonce(tx: Tx, devEui: Eui, devNonce: number, rule: 'unused' | 'greater'): boolean
  /** RJcount1 with them. */
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
  /** All counters down + `by`. Number of sessions in use. */
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
  /** 1.1: its code covers more than the frame; null: 1.0. */
  readonly session11: NetworkSession | null
}

export interface LastLife {
  /** Of its keys: whether another life has the same ones. */
  readonly keysMark: string
  readonly number: number
  readonly devAddr: DevAddr
  readonly fCntUp: number
  readonly fCntDown: number
  readonly aFCntDown: number
}
