/** The chain's tables. docs/spectrum-chain.md says what each holds and how long. */
import type { Migration } from '../../../store/index.ts'

export const spectrumMigrations: readonly Migration[] = [
  {
    id: 'spectrum-001',
    sql: `
      CREATE TABLE spectrum_chain (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        chain_id TEXT NOT NULL,
        genesis_hash TEXT NOT NULL,
        start INTEGER NOT NULL,
        -- Id of the head's row in spectrum_block.
        head INTEGER NOT NULL,
        -- Below it, one header per round is left.
        thinned_below INTEGER NOT NULL,
        alarm TEXT,
        dismissed TEXT NOT NULL,
        expected TEXT
      ) STRICT;

      -- The blocks near the head, on all branches. id: 2^20 × height + place.
      CREATE TABLE spectrum_block (
        id INTEGER PRIMARY KEY,
        entry BLOB NOT NULL,
        signer BLOB,
        round BLOB NOT NULL
      ) STRICT;

      -- Canonical headers below them, some dozen in a row.
      CREATE TABLE spectrum_segment (
        first INTEGER PRIMARY KEY,
        last INTEGER NOT NULL,
        entries BLOB NOT NULL
      ) STRICT;
      -- First 8 bytes of the hash of each header in a segment.
      CREATE TABLE spectrum_hash (
        prefix INTEGER PRIMARY KEY,
        number INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE spectrum_body (
        id INTEGER PRIMARY KEY,
        body BLOB NOT NULL,
        receipts BLOB
      ) STRICT;

      -- Of the canonical chain.
      CREATE TABLE spectrum_transaction (
        hash BLOB PRIMARY KEY,
        number INTEGER NOT NULL,
        place INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX spectrum_transaction_number ON spectrum_transaction (number);

      CREATE TABLE spectrum_equivocation (
        number INTEGER NOT NULL,
        signer BLOB NOT NULL,
        seal_hash BLOB NOT NULL,
        seen INTEGER NOT NULL,
        PRIMARY KEY (number, signer, seal_hash)
      ) STRICT, WITHOUT ROWID;
    `,
  },
]
