/**
 * The hotspot's tables. docs/hotspot.md says what each is for. Amounts are decimal text in smallest units;
 * times with `boottime` are milliseconds of CLOCK_BOOTTIME and mean something only with their boot id.
 */
import type { Migration } from '../../store/index.ts'
import { streamMigrations } from '../stream/io/stream-tables.ts'
import { walletMigrations } from '../wallet/index.ts'
import { aheadMigrations } from '../ahead/io/ahead-tables.ts'
import { awayMigrations } from '../roaming/io/away-table.ts'

export const hotspotMigrations: readonly Migration[] = [
  {
    id: 'hotspot-001',
    sql: `
      CREATE TABLE hotspot_session (
        id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        end_reason TEXT,
        pause_reason TEXT,
        ticket_counter INTEGER NOT NULL,
        started_boot_id TEXT, started_boottime_ms REAL, started_wall_ms REAL, started_wall_trusted INTEGER,
        ended_boot_id TEXT, ended_boottime_ms REAL, ended_wall_ms REAL, ended_wall_trusted INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX hotspot_session_open ON hotspot_session (id) WHERE state <> 'ended';

      CREATE TABLE hotspot_allotment (
        session_id TEXT NOT NULL REFERENCES hotspot_session (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        source TEXT NOT NULL,
        bearer TEXT,
        label TEXT NOT NULL,
        granted_ms INTEGER,
        granted_bytes INTEGER,
        devices INTEGER NOT NULL,
        down_kbps INTEGER,
        up_kbps INTEGER,
        price TEXT NOT NULL,
        refunded TEXT NOT NULL,
        entry_id INTEGER,
        is_void INTEGER NOT NULL,
        PRIMARY KEY (session_id, seq)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE hotspot_device (
        session_id TEXT NOT NULL REFERENCES hotspot_session (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        mac TEXT NOT NULL,
        ip4 TEXT,
        is_bound INTEGER NOT NULL,
        PRIMARY KEY (session_id, position)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX hotspot_device_mac ON hotspot_device (mac, session_id) WHERE is_bound = 1;

      CREATE TABLE hotspot_progress (
        session_id TEXT PRIMARY KEY REFERENCES hotspot_session (id) ON DELETE CASCADE,
        boot_id TEXT NOT NULL,
        counted_to_ms INTEGER,
        open_until_ms INTEGER,
        used TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE hotspot_batch (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL,
        price TEXT NOT NULL,
        created_wall_ms REAL NOT NULL
      ) STRICT;

      CREATE TABLE hotspot_voucher (
        n INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        batch TEXT NOT NULL,
        slot INTEGER NOT NULL,
        box INTEGER NOT NULL,
        serial INTEGER NOT NULL,
        label TEXT NOT NULL,
        seconds INTEGER,
        bytes INTEGER,
        devices INTEGER NOT NULL,
        down_kbps INTEGER,
        up_kbps INTEGER,
        price TEXT NOT NULL,
        valid_until_day INTEGER,
        created_wall_ms REAL NOT NULL,
        state TEXT NOT NULL,
        session_id TEXT,
        used_boot_id TEXT, used_boottime_ms REAL, used_wall_ms REAL, used_wall_trusted INTEGER,
        date_check TEXT NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX hotspot_voucher_number ON hotspot_voucher (slot, box, serial);
      CREATE INDEX hotspot_voucher_batch ON hotspot_voucher (batch, n);
      CREATE INDEX hotspot_voucher_unused ON hotspot_voucher (n) WHERE state = 'unused';
      CREATE INDEX hotspot_voucher_date ON hotspot_voucher (n) WHERE date_check = 'pending';

      CREATE TABLE hotspot_trial (
        mac TEXT PRIMARY KEY,
        age_ms REAL NOT NULL,
        wall_ms REAL NOT NULL,
        wall_trusted INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE hotspot_age (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        boot_id TEXT NOT NULL,
        boottime_ms REAL NOT NULL,
        age_ms REAL NOT NULL
      ) STRICT;
    `,
  },
  ...walletMigrations,
  {
    id: 'hotspot-002',
    sql: `
      ALTER TABLE hotspot_device ADD COLUMN by_ticket INTEGER NOT NULL DEFAULT 0;
    `,
  },
  {
    id: 'hotspot-003',
    sql: `
      ALTER TABLE hotspot_session ADD COLUMN token_symbol TEXT;
      ALTER TABLE hotspot_session ADD COLUMN token_decimals INTEGER;
    `,
  },
  {
    id: 'hotspot-004',
    sql: `
      ALTER TABLE hotspot_voucher ADD COLUMN tokens TEXT;
    `,
  },
  ...streamMigrations,
  ...awayMigrations,
  ...aheadMigrations,
]
