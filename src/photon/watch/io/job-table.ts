/** Watch jobs, rewards and kept backups on disk. A job is one row per channel and delegator; a newer state replaces the older. */
import { MeshBoxError } from '../../../base/index.ts'
import type { Address, Hash } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import { decodeWatchFrame, encodeDelegation } from '../frames.ts'
import type { Holdings, WatchJob } from '../judge.ts'

export const watchMigrations: readonly Migration[] = [
  {
    id: 'photon-watch-001',
    sql: `
      CREATE TABLE photon_watch_job (
        channel TEXT NOT NULL, receiver TEXT NOT NULL, frame BLOB NOT NULL,
        closed_block INTEGER, settle_block INTEGER, posted_nonce TEXT NOT NULL,
        PRIMARY KEY (channel, receiver)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX photon_watch_job_receiver ON photon_watch_job (receiver);
      CREATE TABLE photon_watch_reward (
        channel TEXT NOT NULL, block INTEGER NOT NULL, log_index INTEGER NOT NULL, amount TEXT NOT NULL,
        PRIMARY KEY (channel, block, log_index)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE photon_guard (
        channel TEXT NOT NULL, watcher TEXT NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (channel, watcher)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE photon_kept_backup (owner TEXT PRIMARY KEY, counter TEXT NOT NULL, blob BLOB NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE photon_backup_counter (id INTEGER PRIMARY KEY CHECK (id = 1), counter TEXT NOT NULL) STRICT;`,
  },
]

interface JobRow {
  readonly frame: Uint8Array
  readonly closedBlock: number | null
  readonly settleBlock: number | null
  readonly postedNonce: string
}

const COLUMNS = 'frame, closed_block AS closedBlock, settle_block AS settleBlock, posted_nonce AS postedNonce'

/** What `judgeRoom` has to know. */
export function holdingsOf(tx: ReadTx, channel: Hash, receiver: Address): Holdings {
  const row = tx.get<JobRow>(`SELECT ${COLUMNS} FROM photon_watch_job WHERE channel = ? AND receiver = ?`, channel, receiver)
  const count = (sql: string, ...params: readonly string[]): number => Number(tx.get<{ n: number }>(sql, ...params)?.n ?? 0)
  return {
    held: row === undefined ? null : jobOf(row),
    jobs: count('SELECT count(*) AS n FROM photon_watch_job'),
    jobsOfDelegator: count('SELECT count(*) AS n FROM photon_watch_job WHERE receiver = ?', receiver),
  }
}

export function jobsOn(tx: ReadTx, channel: Hash): readonly WatchJob[] {
  return tx.all<JobRow>(`SELECT ${COLUMNS} FROM photon_watch_job WHERE channel = ? ORDER BY receiver`, channel).map(jobOf)
}

/** Those that the chain has moved against: for a start, when the duties are made anew. */
export function disputedJobs(tx: ReadTx): readonly WatchJob[] {
  return tx.all<JobRow>(`SELECT ${COLUMNS} FROM photon_watch_job WHERE closed_block IS NOT NULL ORDER BY settle_block, channel, receiver`).map(jobOf)
}

export function allJobs(tx: ReadTx): readonly WatchJob[] {
  return tx.all<JobRow>(`SELECT ${COLUMNS} FROM photon_watch_job ORDER BY channel, receiver`).map(jobOf)
}

export function countJobs(tx: ReadTx): number {
  return Number(tx.get<{ n: number }>('SELECT count(*) AS n FROM photon_watch_job')?.n ?? 0)
}

export function putJob(tx: Tx, job: WatchJob): void {
  tx.run(
    'INSERT INTO photon_watch_job (channel, receiver, frame, closed_block, settle_block, posted_nonce) VALUES (?, ?, ?, ?, ?, ?) ' +
      'ON CONFLICT (channel, receiver) DO UPDATE SET frame = excluded.frame, closed_block = excluded.closed_block, settle_block = excluded.settle_block, posted_nonce = excluded.posted_nonce',
    job.delegation.channel,
    job.delegation.receiver,
    encodeDelegation(job.delegation),
    job.closed?.block ?? null,
    job.closed?.settleBlock ?? null,
    job.postedNonce.toString(),
  )
}

export function dropJob(tx: Tx, job: WatchJob): void {
  tx.run('DELETE FROM photon_watch_job WHERE channel = ? AND receiver = ?', job.delegation.channel, job.delegation.receiver)
}

/** Once per event, however often it is told. False: it is known. */
export function putReward(tx: Tx, reward: { readonly channel: Hash; readonly block: number; readonly logIndex: number; readonly amount: bigint }): boolean {
  const { channel, block, logIndex, amount } = reward
  return tx.run('INSERT OR IGNORE INTO photon_watch_reward (channel, block, log_index, amount) VALUES (?, ?, ?, ?)', channel, block, logIndex, amount.toString()) > 0
}

function jobOf(row: JobRow): WatchJob {
  const message = decodeWatchFrame(new Uint8Array(row.frame))
  if ('refused' in message || message.kind !== 'delegate') throw new MeshBoxError('internal', 'a stored watch job cannot be read', { code: 'watch-job' })
  const closed = row.closedBlock === null || row.settleBlock === null ? null : { block: Number(row.closedBlock), settleBlock: Number(row.settleBlock) }
  return { delegation: message.delegation, closed, postedNonce: BigInt(row.postedNonce) }
}
