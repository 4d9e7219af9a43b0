/** Photon's tables (photon.md 9.8; docs/photon-node.md says why they are so). Amounts are TEXT, decimal; hashes and addresses BLOB. */
import type { Migration } from '../../../store/index.ts'

export const photonMigrations: readonly Migration[] = [
  {
    id: 'photon-001',
    sql: `
      -- One life of a channel. 'number' is its short name in the tables below.
      CREATE TABLE photon_channel (
        number INTEGER PRIMARY KEY,
        contract BLOB NOT NULL,
        channel BLOB NOT NULL,
        epoch TEXT NOT NULL,
        partner BLOB NOT NULL,
        is_live INTEGER NOT NULL CHECK (is_live IN (0, 1)),
        -- Nonces of ours that the partner has acknowledged; may lag behind.
        acked INTEGER NOT NULL,
        -- The newest state of both sides, as src/photon/node/snapshot.ts writes it.
        state BLOB NOT NULL,
        UNIQUE (contract, channel, epoch)
      ) STRICT;
      CREATE INDEX photon_channel_live ON photon_channel (contract) WHERE is_live = 1;

      -- id = (2 x channel number + who) x 2^40 + nonce, who 0: ours, 1: the partner's. One packet per nonce for ever.
      CREATE TABLE photon_packet (
        id INTEGER PRIMARY KEY,
        packet BLOB NOT NULL
      ) STRICT;

      -- Messages without a nonce on their way out, until they are acknowledged.
      CREATE TABLE photon_outbox (
        id INTEGER PRIMARY KEY,
        contract BLOB NOT NULL,
        peer BLOB NOT NULL,
        echo BLOB NOT NULL,
        packet BLOB NOT NULL
      ) STRICT;

      -- Payments under way, and the newest ended ones, which must be known again when their locks are offered anew.
      -- 'name': the first 16 bytes of the SHA-256 of contract and id, which are long texts.
      CREATE TABLE photon_payment (
        number INTEGER PRIMARY KEY,
        name BLOB NOT NULL UNIQUE,
        contract BLOB NOT NULL,
        is_ended INTEGER NOT NULL CHECK (is_ended IN (0, 1)),
        state BLOB NOT NULL
      ) STRICT;
      CREATE INDEX photon_payment_open ON photon_payment (contract) WHERE is_ended = 0;

      -- Append-only: every payment that ended, whichever way.
      CREATE TABLE photon_history (
        id INTEGER PRIMARY KEY,
        kind INTEGER NOT NULL,
        channel INTEGER NOT NULL,
        nonce INTEGER NOT NULL,
        amount TEXT NOT NULL,
        wall_ms INTEGER NOT NULL,
        key BLOB NOT NULL,
        peer BLOB,
        data BLOB,
        note TEXT,
        -- Of payments through no channel of ours alone.
        token BLOB,
        fee TEXT
      ) STRICT;
    `,
  },
  {
    id: 'photon-002',
    sql: `
      -- From which row of the history on the chain was that high. A row for each block in which payments ended.
      CREATE TABLE photon_history_block (
        first INTEGER PRIMARY KEY,
        block INTEGER NOT NULL UNIQUE
      ) STRICT;
    `,
  },
]
