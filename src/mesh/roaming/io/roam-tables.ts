/**
 * Sessions that walk, on disk: what this box sold and where it is, what it holds for others, and debts between boxes. A state is one
 * row, written whole, as JSON in which amounts are decimal text and bytes hex. Boot clock readings in it belong to the boot in
 * `mesh_roam_boot`; after another one they are moved on once, all together.
 */
import { fromHex, toHex } from '../../../base/index.ts'
import type { Clock } from '../../../base/index.ts'
import type { Migration, Store, Tx } from '../../../store/index.ts'
import type { RoamAccount } from '../account.ts'
import type { HeldRoam } from '../held.ts'
import type { RoamBook, RoamChange, RoamRecords } from '../ports.ts'
import { LEASE_MS } from '../sold.ts'
import type { SoldRoam } from '../sold.ts'
import { purseSql } from './purse-table.ts'

export const roamingMigrations: readonly Migration[] = [
  {
    id: 'mesh-roaming-001',
    sql: `
      CREATE TABLE mesh_roams (
        role TEXT NOT NULL CHECK (role IN ('sold', 'held')),
        seller TEXT NOT NULL, session_id TEXT NOT NULL, counter INTEGER NOT NULL, holder TEXT NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (role, seller, session_id)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE mesh_roam_accounts (
        role TEXT NOT NULL, partner TEXT NOT NULL, token TEXT NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (role, partner, token)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE mesh_roam_boot (one INTEGER PRIMARY KEY CHECK (one = 1), boot_id TEXT NOT NULL, boottime_ms REAL NOT NULL) STRICT;`,
  },
  { id: 'mesh-roaming-002', sql: purseSql },
]

export interface RoamBookParts {
  readonly store: Store
  readonly clock: Pick<Clock, 'bootId' | 'boottimeMs'>
  /** Posts in the ledger what a neighbour paid, in the same turn. */
  readonly onEarned: (tx: Tx, earned: NonNullable<RoamChange['earned']>) => void
  /** And what the owner asks for no more. */
  readonly onWrittenOff: (tx: Tx, writtenOff: NonNullable<RoamChange['writtenOff']>) => void
  /** And what was paid to one. */
  readonly onSpent: (tx: Tx, spent: NonNullable<RoamChange['spent']>) => void
}

/** In place of a seller: this box. */
const SOLD_HERE = 'self'

export function createRoamBook({ store, clock, onEarned, onSpent, onWrittenOff }: RoamBookParts): RoamBook {
  return {
    read: () =>
      store.turn((tx) => {
        const all = <T>(sql: string): T[] => tx.all<{ state: string }>(sql).map(({ state }) => fromText<T>(state))
        const records: RoamRecords = {
          sold: all<SoldRoam>("SELECT state FROM mesh_roams WHERE role = 'sold' ORDER BY session_id").map(soldAsNow),
          held: all<HeldRoam>("SELECT state FROM mesh_roams WHERE role = 'held' ORDER BY seller, session_id").map((state) => ({ ...state, ticket: { ...state.ticket, proofAfterSeconds: state.ticket.proofAfterSeconds ?? null } })),
          accounts: all<RoamAccount>('SELECT state FROM mesh_roam_accounts ORDER BY role, partner, token').map((account) => ({ ...account, writtenOff: account.writtenOff ?? 0n, beyondParts: account.beyondParts ?? 0n })),
        }
        const last = tx.get<{ boot_id: string; boottime_ms: number }>('SELECT boot_id, boottime_ms FROM mesh_roam_boot WHERE one = 1')
        if (last === undefined || last.boot_id === clock.bootId) return records
        const moved = movedOn(records, clock.boottimeMs() - Number(last.boottime_ms))
        put(tx, moved)
        return moved
      }),
    write: (change) =>
      store.turn((tx) => {
        put(tx, change)
        for (const sessionId of change.forgottenSold ?? []) tx.run("DELETE FROM mesh_roams WHERE role = 'sold' AND seller = ? AND session_id = ?", SOLD_HERE, sessionId)
        for (const { seller, sessionId } of change.forgottenHeld ?? []) tx.run("DELETE FROM mesh_roams WHERE role = 'held' AND seller = ? AND session_id = ?", seller, sessionId)
        if (change.earned !== undefined) onEarned(tx, change.earned)
        if (change.writtenOff !== undefined) onWrittenOff(tx, change.writtenOff)
        if (change.spent !== undefined) onSpent(tx, change.spent)
      }),
  }

  function put(tx: Tx, { sold, held, accounts }: Pick<RoamChange, 'sold' | 'held' | 'accounts'>): void {
    const roam = (role: 'sold' | 'held', seller: string, sessionId: string, counter: number, holder: string, state: SoldRoam | HeldRoam): void => {
      tx.run('INSERT OR REPLACE INTO mesh_roams VALUES (?, ?, ?, ?, ?, ?)', role, seller, sessionId, counter, holder, toText(state))
    }
    for (const state of sold ?? []) roam('sold', SOLD_HERE, state.sessionId, state.counter, state.holder, state)
    for (const state of held ?? []) roam('held', state.ticket.seller, state.ticket.sessionId, state.ticket.counter, state.ticket.holder, state)
    for (const account of accounts ?? []) tx.run('INSERT OR REPLACE INTO mesh_roam_accounts VALUES (?, ?, ?, ?)', account.role, account.partner, account.token, toText(account))
    tx.run('INSERT OR REPLACE INTO mesh_roam_boot VALUES (1, ?, ?)', clock.bootId, clock.boottimeMs())
  }
}

/** Rows of before guests' keys were asked for have none of their fields: nothing had to be shown. */
function soldAsNow(state: SoldRoam): SoldRoam {
  const stays = state.stays.map((stay) => ({ ...stay, unprovedSeconds: stay.unprovedSeconds ?? null, provedMs: stay.provedMs ?? null }))
  return { ...state, proofAfterSeconds: state.proofAfterSeconds ?? null, unprovedSeconds: state.unprovedSeconds ?? 0, stays }
}

/**
 * How long the box was off is not known, and does not count. Who holds a session may have let its guest in all the while, for
 * a lease at most: that much is believed.
 */
function movedOn(records: RoamRecords, byMs: number): RoamRecords {
  const at = <T extends number | null>(ms: T): T => (ms === null ? ms : ((ms as number) + byMs)) as T
  return {
    sold: records.sold.map((state) => ({
      ...state,
      movesMs: state.movesMs.map(at),
      contestedUntilMs: at(state.contestedUntilMs),
      provedMs: at(state.provedMs),
      stays: state.stays.map((stay) => ({ ...stay, beganMs: at(stay.beganMs) - (stay.endedMs === null ? LEASE_MS : 0), endedMs: at(stay.endedMs), reportedMs: at(stay.reportedMs), signedMs: at(stay.signedMs), provedMs: at(stay.provedMs) })),
    })),
    held: records.held.map((state) => ({ ...state, leaseUntilMs: at(state.leaseUntilMs), reportDueMs: at(state.reportDueMs), goneMs: at(state.goneMs) })),
    accounts: records.accounts.map((account) => ({ ...account, openSinceMs: at(account.openSinceMs) })),
  }
}

/** Amounts as `{"n":"5"}`, bytes as `{"x":"0a"}`: no field of these states is an object with one of these names. */
function toText(value: SoldRoam | HeldRoam | RoamAccount): string {
  return JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key: string, given: unknown) {
    const each = this[key] // before Buffer's own toJSON
    return typeof each === 'bigint' ? { n: each.toString() } : each instanceof Uint8Array ? { x: toHex(each) } : given
  })
}

function fromText<T>(text: string): T {
  return JSON.parse(text, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null) return each
    if ('n' in each && typeof each.n === 'string') return BigInt(each.n)
    return 'x' in each && typeof each.x === 'string' ? fromHex(each.x) : each
  }) as T
}
