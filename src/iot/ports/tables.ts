/**
 * What each part keeps in the box's SQLite file. Every verb runs inside somebody's turn, so that one input is one commit: a frame's
 * counter, its bill and its log row are on disk together or not at all. Each part writes its own tables in its `io/tables.ts`, with
 * migrations called `iot-<part>-001`, `-002` …; tables/index.ts joins them into `iotMigrations`. Nobody reads another part's tables.
 */
import type { Moment } from '../../base/index.ts'
import type { ReadTx, Tx } from '../../store/index.ts'
import type { TxStatus } from './downlink.ts'
import type { Reading, Value } from './network.ts'
import type { Eui } from './radio.ts'
import type { BillableUnit } from './tenants.ts'

/** Seals keys at rest with the box's device master key. `open` errors: unavailable when the box's key is another one. */
export interface KeySeal {
  seal(key: Uint8Array): Uint8Array
  open(sealed: Uint8Array): Uint8Array
}

/** airtime/: iot-airtime-00n. Written before the order goes to the radio. */
export interface AirtimeTables {
  reserve(tx: Tx, row: AirtimeRow): void
  /** After the TxAck. `sent`: the window that was on air; the rows of the others go. */
  settle(tx: Tx, gateway: Eui, downlinkId: number, sent: number | null): void
  /** What may still count; older rows are deleted. After a restart an unsettled row counts as sent. */
  recent(tx: Tx, olderThan: Moment): readonly AirtimeRow[]
}

export interface AirtimeRow {
  readonly gateway: Eui
  readonly downlinkId: number
  /** Index among the order's windows: each alternative is reserved until one was sent. */
  readonly window: number
  readonly subBand: string
  readonly pricePerMs: bigint
  readonly startsAt: Moment
  readonly durationUs: number
  readonly isSettled: boolean
}

/** A unit before it is delivered. */
export type HeldUnit = Omit<BillableUnit, 'seq'>

export interface TenantAccount {
  readonly epoch: bigint
  readonly seq: bigint
  readonly cumUplinks: bigint
  readonly cumUnits: bigint
  readonly cumDownlinkMs: bigint
  readonly cumAmount: bigint
  readonly chainHash: Uint8Array
}

/** log/: iot-log-00n. Rows beyond the retention (days, rows, bytes; per device) are counted, and go, in pieces: a turn stays short. */
export interface LogTables {
  /** The row's id: rises with each. */
  add(tx: Tx, reading: Reading): number
  setValues(tx: Tx, devEui: Eui, fCnt: number, values: readonly Value[] | null, problem: string | null): void
  rows(tx: ReadTx, page: { readonly devEui: Eui; readonly beforeId?: number; readonly limit: number }): readonly (Reading & { readonly id: number })[]
  /** For a plot: at most `points`, each the mean, least and most of its piece of time. */
  series(tx: ReadTx, ask: { readonly devEui: Eui; readonly name: string; readonly fromWallMs: number; readonly toWallMs: number; readonly points: number }): readonly SeriesPoint[]
  prune(tx: Tx, now: Moment): number
}

export interface SeriesPoint {
  readonly wallMs: number
  readonly mean: number
  readonly least: number
  readonly most: number
}

/** rules/: iot-rules-00n. What a rule switched on, and until when, is on disk before the order goes to the queue. */
export interface RuleTables {
  rules(tx: ReadTx): readonly Rule[]
  putRule(tx: Tx, rule: Rule): void
  removeRule(tx: Tx, id: string): boolean
  addRun(tx: Tx, run: RuleRun): void
  runs(tx: ReadTx, page: { readonly rule?: string; readonly limit: number }): readonly RuleRun[]
  /** What is switched on and has to be switched off again, also after a restart. */
  running(tx: ReadTx): readonly RuleRun[]
}

/** "If soil of `field-3` is below 20, open valve `pump-1` for 10 min." Numbers of values, compared as numbers. */
export interface Rule {
  readonly id: string
  readonly name: string
  readonly when: { readonly devEui: Eui; readonly value: string; readonly is: '<' | '<=' | '>' | '>=' | '=' | '!='; readonly than: number | string | boolean; readonly forSeconds: number }
  readonly then: { readonly devEui: Eui; readonly on: unknown; readonly off: unknown | null; readonly durationSeconds: number | null; readonly isConfirmed: boolean }
  readonly coolDownSeconds: number
  /** False: only says in the log what it would do. Every rule starts so. */
  readonly isLive: boolean
  readonly isPaused: boolean
}

export interface RuleRun {
  readonly rule: string
  readonly at: Moment
  readonly because: string
  readonly isDryRun: boolean
  readonly queueId: number | null
  readonly offAt: Moment | null
  readonly offQueueId: number | null
  readonly statuses: readonly TxStatus[]
}
