/** Vouchers: list, make, revoke, print, export. */
import { SHEET_CONTENT_SECURITY_POLICY } from '../../../hotspot/voucher/index.ts'
import type { VouchersQuery } from '../../api.ts'
import type { Call, Handler } from '../routes.ts'
import { NOTHING, integer, line, object, oneOf } from '../../request-schema.ts'
import { date, id, numberOf, queryNumber } from '../fields.ts'

const MAX_PAGE = 1000
const MAX_OFFSET = 10_000_000
const BATCH = { query: object({ batch: id }, ['batch']) }
const batchOf = (call: Call): string => call.query['batch'] ?? ''
/** The sheet is a page of its own: its makers know what it runs. */
const SHEET_POLICY = `${SHEET_CONTENT_SECURITY_POLICY}; frame-ancestors 'none'`

type VoucherRoute = 'vouchers' | 'voucherBatches' | 'createVouchers' | 'revokeVouchers' | 'voucherSheet' | 'voucherCsv'

export const voucherRoutes: { [N in VoucherRoute]: Handler<N> } = {
  vouchers: {
    schema: { query: object({ batch: id, state: oneOf('unused', 'used', 'revoked'), limit: queryNumber, offset: queryNumber }) },
    run: (owner, { query }) => {
      const limit = numberOf(query, 'limit', 1, MAX_PAGE)
      const offset = numberOf(query, 'offset', 0, MAX_OFFSET)
      const { batch, state } = query as VouchersQuery
      return owner.vouchers({
        ...(batch === undefined ? {} : { batch }),
        ...(state === undefined ? {} : { state }),
        ...(limit === undefined ? {} : { limit }),
        ...(offset === undefined ? {} : { offset }),
      })
    },
  },
  voucherBatches: { schema: { query: NOTHING }, run: (owner) => owner.voucherBatches() },
  createVouchers: {
    schema: { query: NOTHING, body: object({ packageId: id, count: integer(1, 1000), validUntil: date, note: line(48) }, ['packageId', 'count']) },
    run: (owner, { body }) => owner.createVouchers(body),
  },
  revokeVouchers: {
    schema: { query: NOTHING, body: object({ id, code: line(64), batch: id }) },
    run: (owner, { body }) => owner.revokeVouchers(body),
  },
  voucherSheet: {
    schema: BATCH,
    run: (owner, call) => owner.voucherSheet(batchOf(call)),
    type: 'text/html; charset=utf-8',
    contentSecurityPolicy: SHEET_POLICY,
  },
  voucherCsv: {
    schema: BATCH,
    run: (owner, call) => owner.voucherCsv(batchOf(call)),
    type: 'text/csv; charset=utf-8',
    saveAs: (call) => `vouchers-${batchOf(call).replace(/[^A-Za-z0-9-]/g, '_')}.csv`,
  },
}
