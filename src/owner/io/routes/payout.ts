/** Payouts of shares, their statements, and what was paid in another way. */
import { NOTHING, flag, line, object, oneOf, text } from '../../request-schema.ts'
import type { PAYOUT_ROUTES } from '../../api/payout.ts'
import { numberOf, price, queryNumber } from '../fields.ts'
import type { Handler } from '../routes.ts'

const MAX_PAGE = 200
const account = text(1, 160, /^[a-z][a-z0-9-]*:[^\s\u0000-\u001f\u007f]+$/, 'role:name, such as investor:anna')
const token = text(1, 32, /^[^\s\u0000-\u001f\u007f]+$/, "a token's symbol")
const PAYOUT = object({ id: text(1, 15, /^[1-9][0-9]*$/, 'the number of a payout') }, ['id'])
const idOf = ({ params }: { readonly params: Readonly<Record<string, string>> }): number => Number(params['id'])

export const payoutRoutes: { [N in keyof typeof PAYOUT_ROUTES]: Handler<N> } = {
  payouts: {
    schema: { query: object({ beforeId: queryNumber, limit: queryNumber }) },
    run: ({ payouts }, { query }) => {
      const limit = numberOf(query, 'limit', 1, MAX_PAGE)
      const beforeId = numberOf(query, 'beforeId', 1, Number.MAX_SAFE_INTEGER)
      return payouts.payouts({ ...(limit === undefined ? {} : { limit }), ...(beforeId === undefined ? {} : { beforeId }) })
    },
  },
  payPayout: { schema: { query: NOTHING, body: object({ account, token }, ['account']) }, run: ({ payouts }, { body }) => payouts.payNow(body) },
  notePayout: { schema: { query: NOTHING, body: object({ account, token, amount: price, memo: line(200) }, ['account', 'amount']) }, run: ({ payouts }, { body }) => payouts.note(body) },
  payout: { schema: { params: PAYOUT, query: NOTHING }, run: ({ payouts }, call) => payouts.payout(idOf(call)) },
  resumePayout: { schema: { params: PAYOUT, query: NOTHING, body: object({ isAnew: flag }) }, run: ({ payouts }, call) => payouts.resume(idOf(call), call.body) },
  payoutStatement: {
    schema: { params: PAYOUT, query: object({ series: oneOf('1') }) },
    run: ({ payouts }, call) => payouts.statement(idOf(call), call.query['series'] === '1'),
    type: 'text/plain; charset=utf-8',
    saveAs: ({ params }) => `meshbox-payout-${params['id'] ?? ''}.txt`,
  },
}
