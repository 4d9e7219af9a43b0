/** Tenants' accounts, what was delivered to them and what this box has signed for it, as the audit reads them. */
import { hexOf, toHex, type Address } from '../base/index.ts'
import type { Books, ReceiptRow, TenantRow, UnitRow } from '../audit/index.ts'
import { receiptSigner, type ReceiptCurve } from '../iot/tenants/receipt/index.ts'
import { paidTables } from '../iot/tables/index.ts'
import type { ReadTx } from '../store/index.ts'

export interface IotTools {
  readonly receipts: ReceiptCurve
  /** Whose receipts are this box's. */
  readonly self: Address
  readonly symbolOf: (token: Address) => string
}

type Pages = Pick<Books, 'tenantsAfter' | 'unitsAfter' | 'receiptsAfter' | 'receiptAt' | 'paidMark' | 'paidSum'>

export function iotPages(tx: ReadTx, tools: IotTools): Pages {
  return {
    tenantsAfter: (tenant, epoch, most) => tx.all<StoredAccount>('SELECT * FROM iot_account WHERE (tenant, epoch) > (?, ?) ORDER BY tenant, epoch LIMIT ?', tenant, epoch, most).map((row) => tenantRow(tx, row, tools)),
    unitsAfter: (tenant, epoch, seq, most) =>
      tx.all<StoredUnit>('SELECT seq, kind, frame, tmst_us, units, amount FROM iot_unit WHERE tenant = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?', tenant, epoch, seq, most)
        .map((row): UnitRow => ({ seq: BigInt(row.seq), kind: row.kind, frame: toHex(row.frame), tmstUs: row.tmst_us, units: row.units, amount: BigInt(row.amount) })),
    receiptsAfter: (tenant, epoch, seq, most) => tx.all<StoredReceipt>('SELECT * FROM iot_receipt WHERE tenant = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?', tenant, epoch, seq, most).map((row) => receiptRow(row, tools)),
    receiptAt(tenant, epoch, seq) {
      const row = tx.get<Pick<StoredReceipt, 'cum_amount' | 'chain_hash'>>('SELECT cum_amount, chain_hash FROM iot_receipt WHERE tenant = ? AND epoch = ? AND seq = ?', tenant, epoch, seq)
      return row === undefined ? null : { cumAmount: BigInt(row.cum_amount), chainHash: toHex(row.chain_hash) }
    },
    paidMark: () => paidTables.mark(tx),
    paidSum: (payer, token) =>
      tx.all<{ token: string; amount: string }>('SELECT token, amount FROM iot_paid WHERE payer = ?', payer).reduce((sum, row) => (tools.symbolOf(row.token as Address) === token ? sum + BigInt(row.amount) : sum), 0n),
  }
}

interface StoredAccount {
  tenant: string
  epoch: number
  payer: Address
  token: Address
  seq: number
  cum_amount: string
  chain_hash: Uint8Array
  held_amount: string
  held_count: number
  receipt_seq: number
  settled: string
  is_behind: number
}

interface StoredUnit {
  seq: number
  kind: string
  frame: Uint8Array
  tmst_us: number
  units: number
  amount: string
}

interface StoredReceipt {
  seq: number
  chain_id: string
  gateway: Address
  payer: Address
  token: Address
  channel: Address
  channel_epoch: string
  cum_uplinks: number
  cum_units: number
  cum_downlink_ms: number
  cum_amount: string
  chain_hash: Uint8Array
  signature: Uint8Array
}

function tenantRow(tx: ReadTx, row: StoredAccount, { symbolOf }: IotTools): TenantRow {
  const { tenant, epoch, payer, token } = row
  const held = tx.all<{ amount: string }>('SELECT amount FROM iot_held WHERE tenant = ? AND epoch = ?', tenant, epoch)
  const window = tx.get<{ credit_window: string; epoch: number }>('SELECT credit_window, epoch FROM iot_tenant WHERE id = ?', tenant)
  return {
    tenant,
    epoch,
    payer,
    token: symbolOf(token),
    seq: BigInt(row.seq),
    cumAmount: BigInt(row.cum_amount),
    chainHash: toHex(row.chain_hash),
    heldAmount: BigInt(row.held_amount),
    heldCount: row.held_count,
    receiptSeq: BigInt(row.receipt_seq),
    settled: BigInt(row.settled),
    isBehind: row.is_behind === 1,
    held: { amount: held.reduce((sum, each) => sum + BigInt(each.amount), 0n), count: held.length },
    sums: tx.all<{ kind: string; amount: string; booked: string }>('SELECT kind, amount, booked FROM iot_sum WHERE tenant = ? AND epoch = ? ORDER BY kind', tenant, epoch).map((each) => ({ kind: each.kind, amount: BigInt(each.amount), booked: BigInt(each.booked) })),
    paid: paidTables.paid(tx, payer, token),
    creditWindow: window === undefined || window.epoch !== epoch ? null : BigInt(window.credit_window),
  }
}

function receiptRow(row: StoredReceipt, { receipts, self }: IotTools): ReceiptRow {
  const chainHash = hexOf(row.chain_hash)
  const signer = receiptSigner(
    {
      chainId: BigInt(row.chain_id), gateway: row.gateway, tenant: row.payer, token: row.token, channel: row.channel, channelEpoch: BigInt(row.channel_epoch), seq: BigInt(row.seq), cumUplinks: BigInt(row.cum_uplinks),
      cumUnits: BigInt(row.cum_units), cumDownlinkMs: BigInt(row.cum_downlink_ms), cumAmount: BigInt(row.cum_amount), chainHash, signature: new Uint8Array(row.signature),
    },
    receipts,
  )
  return { seq: BigInt(row.seq), cumAmount: BigInt(row.cum_amount), chainHash: chainHash.slice(2), isSigned: signer === self }
}
