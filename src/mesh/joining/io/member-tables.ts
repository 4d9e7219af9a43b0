/**
 * What joining keeps: papers and list in `mesh_community`, boxes and what they showed in `mesh_members`, codes that the
 * community's box gave out in `mesh_invitations` (never the codes themselves: the password of the mesh is in them).
 */
import { MeshBoxError } from '../../../base/index.ts'
import type { Address } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { BoxId, Documents } from '../../ports.ts'
import { newMembers } from '../members.ts'
import type { Issued, Known, Members, Paper } from '../members.ts'
import { readList } from '../papers.ts'

export const joiningMigrations: readonly Migration[] = [
  {
    id: 'mesh-joining-001',
    sql: `
      CREATE TABLE mesh_community (
        community TEXT NOT NULL,
        paper TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (community, paper)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE mesh_members (
        community TEXT NOT NULL,
        box TEXT NOT NULL,
        is_admitted INTEGER NOT NULL,
        ticket INTEGER,
        uses INTEGER,
        left_ms REAL,
        reason TEXT NOT NULL,
        PRIMARY KEY (community, box)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE mesh_invitations (
        community TEXT NOT NULL,
        number INTEGER NOT NULL,
        uses INTEGER NOT NULL,
        used_by TEXT NOT NULL,
        left_ms REAL,
        PRIMARY KEY (community, number)
      ) STRICT, WITHOUT ROWID;
    `,
  },
]

interface MemberRow {
  readonly box: BoxId
  readonly is_admitted: number
  readonly ticket: number | null
  readonly uses: number | null
  readonly left_ms: number | null
  readonly reason: string
}

/** What changed from `before` to `after`; nothing of another community is touched. */
export function saveMembers(tx: Tx, before: Members, after: Members): void {
  const { community } = after
  if (after.own !== before.own) savePaper(tx, community, after.own)
  if (after.listFrame !== null && after.listFrame !== before.listFrame) put(tx, community, 'list', after.listFrame)
  for (const [box, known] of before.known) if (isKept(known) && !isKept(after.known.get(box))) tx.run('DELETE FROM mesh_members WHERE community = ? AND box = ?', community, box)
  for (const [box, known] of after.known) if (isKept(known) && before.known.get(box) !== known) saveKnown(tx, community, box, known)
  for (const number of before.issued.keys()) if (!after.issued.has(number)) tx.run('DELETE FROM mesh_invitations WHERE community = ? AND number = ?', community, number)
  for (const [number, issued] of after.issued) if (before.issued.get(number) !== issued) saveIssued(tx, community, issued, number)
}

/** Who has shown nothing leaves no row: strangers cannot make this box write. */
function isKept(known: Known | undefined): boolean {
  return known !== undefined && (known.isAdmitted || known.ticket !== null)
}

function savePaper(tx: Tx, community: Address, own: Paper): void {
  tx.run("DELETE FROM mesh_community WHERE community = ? AND paper <> 'list'", community)
  if (own.kind === 'admission') put(tx, community, 'admission', own.admission)
  if (own.kind === 'ticket') {
    put(tx, community, 'ticket', own.ticket)
    put(tx, community, 'claim', own.claim)
  }
}

function put(tx: Tx, community: Address, paper: string, body: Uint8Array): void {
  tx.run('INSERT INTO mesh_community VALUES (?, ?, ?) ON CONFLICT (community, paper) DO UPDATE SET body = excluded.body', community, paper, body)
}

function saveKnown(tx: Tx, community: Address, box: BoxId, { isAdmitted, ticket, reason }: Known): void {
  tx.run(
    'INSERT OR REPLACE INTO mesh_members VALUES (?, ?, ?, ?, ?, ?, ?)',
    community, box, isAdmitted ? 1 : 0, ticket?.number ?? null, ticket?.uses ?? null, ticket?.leftMs ?? null, reason,
  )
}

function saveIssued(tx: Tx, community: Address, { uses, usedBy, leftMs }: Issued, number: number): void {
  tx.run('INSERT OR REPLACE INTO mesh_invitations VALUES (?, ?, ?, ?, ?)', community, number, uses, usedBy.join(' '), leftMs)
}

/** Errors: internal `mesh-list-damaged`: the community's own word is not what was written. */
export function loadMembers(tx: ReadTx, self: BoxId, community: Address, documents: Pick<Documents, 'signer'>): Members {
  const papers = new Map(tx.all<{ paper: string; body: Uint8Array }>('SELECT paper, body FROM mesh_community WHERE community = ?', community).map(({ paper, body }) => [paper, new Uint8Array(body)]))
  const known = tx
    .all<MemberRow>('SELECT box, is_admitted, ticket, uses, left_ms, reason FROM mesh_members WHERE community = ? ORDER BY box', community)
    .map(({ box, is_admitted, ticket, uses, left_ms, reason }): [BoxId, Known] => [
      box,
      { isAdmitted: is_admitted === 1, ticket: ticket === null ? null : { number: Number(ticket), uses: Number(uses), leftMs: left_ms ?? 0 }, reason },
    ])
  const issued = tx
    .all<{ number: number; uses: number; used_by: string; left_ms: number | null }>('SELECT number, uses, used_by, left_ms FROM mesh_invitations WHERE community = ? ORDER BY number', community)
    .map(({ number, uses, used_by, left_ms }): [number, Issued] => [Number(number), { number: Number(number), uses: Number(uses), usedBy: used_by === '' ? [] : (used_by.split(' ') as BoxId[]), leftMs: left_ms }])
  const listFrame = papers.get('list') ?? null
  const empty = newMembers(self, community)
  return { ...empty, own: ownPaper(papers), list: listFrame === null ? empty.list : listOf(documents, listFrame, community), listFrame, known: new Map(known), issued: new Map(issued) }
}

function ownPaper(papers: ReadonlyMap<string, Uint8Array>): Paper {
  const [admission, ticket, claim] = [papers.get('admission'), papers.get('ticket'), papers.get('claim')]
  if (admission !== undefined) return { kind: 'admission', admission }
  return ticket === undefined || claim === undefined ? { kind: 'none' } : { kind: 'ticket', ticket, claim }
}

function listOf(documents: Pick<Documents, 'signer'>, frame: Uint8Array, community: Address): Members['list'] {
  try {
    return readList(documents, frame, community)
  } catch (thrown) {
    throw new MeshBoxError('internal', "the community's list in the book is damaged", { code: 'mesh-list-damaged', cause: thrown })
  }
}

/** What `meshbox join` left for the service, or its owner's codes: this box's own paper. In the book before it is shown to anybody. */
export function keepOwnPaper(tx: Tx, community: Address, own: Paper): void {
  savePaper(tx, community, own)
}
