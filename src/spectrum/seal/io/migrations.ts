/**
 * The tables of this room's sealing part. `chain` is a genesis hash: one box may hold several chains, and
 * what belongs to one must never be taken for another's. Amounts and nonces are decimal text.
 */
import type { Migration } from '../../../store/index.ts'

export const sealMigrations: readonly Migration[] = [
  {
    id: 'spectrum-pool-001',
    sql: `
      CREATE TABLE spectrum_pool (
        id INTEGER PRIMARY KEY,
        chain TEXT NOT NULL,
        hash TEXT NOT NULL,
        raw BLOB NOT NULL,
        -- Null while it waits; the block it is in until that block is final.
        mined_in INTEGER,
        UNIQUE (chain, hash)
      ) STRICT;
    `,
  },
  {
    id: 'spectrum-seal-001',
    sql: `
      -- One row per signer and height, ever: what is here was, or may have been, published.
      CREATE TABLE spectrum_seal (
        chain TEXT NOT NULL,
        signer TEXT NOT NULL,
        number INTEGER NOT NULL,
        seal_hash TEXT NOT NULL,
        parent_hash TEXT NOT NULL,
        header BLOB NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (chain, signer, number)
      ) STRICT, WITHOUT ROWID;
      CREATE TRIGGER spectrum_seal_keep BEFORE UPDATE ON spectrum_seal
      BEGIN SELECT RAISE(ABORT, 'a seal is never changed: two at one height would be an equivocation'); END;
      -- Heights up to here are forgotten and count as sealed.
      CREATE TABLE spectrum_seal_floor (
        chain TEXT NOT NULL,
        signer TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (chain, signer)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    id: 'spectrum-poc-001',
    sql: `
      CREATE TABLE spectrum_poc_goal (
        chain TEXT NOT NULL,
        miner TEXT NOT NULL,
        goal TEXT NOT NULL,
        PRIMARY KEY (chain, miner)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE spectrum_poc_action (
        id INTEGER PRIMARY KEY,
        chain TEXT NOT NULL,
        miner TEXT NOT NULL,
        kind TEXT NOT NULL,
        nonce TEXT NOT NULL,
        hash TEXT NOT NULL,
        raw BLOB NOT NULL,
        -- The head's height when it was made, and when it ended.
        made_at INTEGER NOT NULL,
        ended_at INTEGER,
        outcome TEXT CHECK (outcome IN ('mined', 'failed', 'dropped')),
        reason TEXT,
        CHECK ((ended_at IS NULL) = (outcome IS NULL))
      ) STRICT;
      CREATE UNIQUE INDEX spectrum_poc_action_open ON spectrum_poc_action (chain, miner) WHERE outcome IS NULL;
    `,
  },
  {
    id: 'spectrum-earnings-001',
    sql: `
      CREATE TABLE spectrum_earnings (
        chain TEXT PRIMARY KEY,
        -- Every final block up to here is in the ledger, or was not ours.
        posted_to INTEGER NOT NULL,
        -- Own blocks whose fees could not be counted, for want of their receipts.
        uncounted INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
]
