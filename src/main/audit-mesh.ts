/** Carriages and guests who walk, as the audit reads them, with whose signatures they stand on. */
import { MeshBoxError, fromHex, hexOf, type Address } from '../base/index.ts'
import type { Books, CarriageRow, LedgerRow, RoamRow } from '../audit/index.ts'
import { createDocuments, openFrame, type DocumentCurve } from '../mesh/documents/index.ts'
import { accountOf, signedOf, type AccountRow } from '../mesh/metering/account.ts'
import { isSignedBy, openReading } from '../mesh/metering/frames.ts'
import { openUnits, payable, referenceOf, type RoamAccount } from '../mesh/roaming/account.ts'
import { owedUnits } from '../mesh/metering/index.ts'
import type { Documents } from '../mesh/ports.ts'
import type { ReadTx } from '../store/index.ts'

export interface MeshTools {
  readonly curve: Omit<DocumentCurve, 'sign'>
  /** This box's address. */
  readonly self: Address
  readonly meshToken: (token: Address) => string
}

type Pages = Pick<Books, 'carriagesAfter' | 'hasCarriage' | 'roamsAfter' | 'isCarriageSigned' | 'isRoamingSigned'>

interface StoredCarriage {
  readonly carrier: Uint8Array
  readonly client: Uint8Array
  readonly epoch: Uint8Array
  readonly role: 'carrier' | 'client'
  readonly token: Uint8Array
  readonly stage: string
  readonly reason: string | null
  readonly owed_parts: string
  readonly paid: string
  readonly boot_id: string
  readonly snapshot: Uint8Array
  readonly is_settled: number
  readonly number: number
}

export function meshPages(tx: ReadTx, { curve, self, meshToken }: MeshTools): Pages {
  const documents = createDocuments(self, {
    ...curve,
    sign() {
      throw new Error('an audit signs nothing')
    },
  })
  return {
    carriagesAfter: (number, most) => tx.all<StoredCarriage>('SELECT * FROM mesh_carriages WHERE number > ? ORDER BY number LIMIT ?', number, most).map((row) => carriage(row, documents, meshToken)),
    hasCarriage: ({ carrier, client, epoch }) => tried(() => tx.get('SELECT 1 FROM mesh_carriages WHERE carrier = ? AND client = ? AND epoch = ?', bytesIn(carrier), bytesIn(client), bytesIn(epoch)) !== undefined),
    roamsAfter: (place, most) => tx.all<{ state: string }>('SELECT state FROM mesh_roam_accounts ORDER BY role, partner, token LIMIT ? OFFSET ?', most, place).map(({ state }) => roam(state, curve, self, meshToken)),
    isCarriageSigned: (facts) => isCarriageSigned(facts, documents),
    isRoamingSigned: (facts) => isRoamingSigned(facts, documents),
  }
}

function carriage(row: StoredCarriage, documents: Documents, meshToken: MeshTools['meshToken']): CarriageRow {
  const stored: AccountRow = {
    carrier: hexOf(row.carrier), client: hexOf(row.client), epoch: hexOf(row.epoch), role: row.role, token: hexOf(row.token), stage: row.stage, reason: row.reason,
    owedParts: BigInt(row.owed_parts), paid: BigInt(row.paid), bootId: row.boot_id, snapshot: row.snapshot,
  }
  const account = accountOf(stored, 0)
  const { state, order } = account
  const pair = state.agreed?.pair ?? null
  return {
    number: row.number,
    carrier: stored.carrier,
    client: stored.client,
    epoch: stored.epoch.slice(2),
    role: row.role,
    token: meshToken(stored.token),
    owed: owedUnits(state),
    paid: stored.paid,
    ordered: order?.amount ?? 0n,
    isEnded: account.state.state === 'ended',
    isSettled: row.is_settled === 1,
    isSigned: pair === null ? null : isSignedBy(documents, signedOf(account, 'carrier', pair.carrier), stored.carrier) && isSignedBy(documents, signedOf(account, 'client', pair.client), stored.client),
  }
}

/** As mesh/roaming writes it: an amount is `{"n":"5"}`. */
/** Earlier versions left some out. */
type StoredRoam = Omit<RoamAccount, 'writtenOff' | 'beyondParts'> & Partial<Pick<RoamAccount, 'writtenOff' | 'beyondParts'>>

function roam(text: string, { keccak256 }: MeshTools['curve'], self: Address, meshToken: MeshTools['meshToken']): RoamRow {
  const stored = JSON.parse(text, (_, each: unknown) => (typeof each === 'object' && each !== null && 'n' in each && typeof each.n === 'string' ? BigInt(each.n) : each)) as StoredRoam
  const state: RoamAccount = { ...stored, writtenOff: stored.writtenOff ?? 0n, beyondParts: stored.beyondParts ?? 0n }
  const { role, partner, token, paid } = state
  const [seller, holder] = role === 'seller' ? [self, partner] : [partner, self]
  return { role, partner, token: meshToken(token), owed: payable(state), paid, open: openUnits(state), beyond: stored.beyondParts === undefined ? null : (state.beyondParts + 59n) / 60n, reference: referenceOf((bytes) => keccak256(bytes), seller, holder, token) }
}

function isCarriageSigned(facts: LedgerRow['facts'], documents: Documents): boolean {
  const { carrier, client, carrierReading, clientReading } = facts
  return tried(() => [[carrier, carrierReading], [client, clientReading]].every(([box, frame]) => isSignedBy(documents, openReading(bytesIn(frame)), String(box) as Address)))
}

function isRoamingSigned(facts: LedgerRow['facts'], documents: Documents): boolean | null {
  const tickets = Object.entries(facts).filter(([name]) => /^ticket\d+$/.test(name))
  if (tickets.length === 0) return null
  return tried(() =>
    tickets.every(([, frame]) => {
      const { payload, signature } = openFrame(bytesIn(frame))
      return documents.signer('ticket', payload, signature) === facts['seller']
    }),
  )
}

const bytesIn = (value: unknown): Uint8Array => fromHex(String(value).replace(/^0x/, ''), 'frame')

/** What does not even open is signed by nobody. */
function tried(look: () => boolean): boolean {
  try {
    return look()
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') return false
    throw thrown
  }
}
