/** What the box earned, and the entries of the book. */
import type { Handler } from '../routes.ts'
import { object } from '../../request-schema.ts'
import { numberOf, queryNumber } from '../fields.ts'

const MAX_PAGE = 500
/** The ledger keeps so many dates for a plot. */
const MAX_DAYS = 62

export const earningsRoutes: { earnings: Handler<'earnings'>; entries: Handler<'entries'> } = {
  earnings: {
    schema: { query: object({ days: queryNumber }) },
    run: (owner, { query }) => {
      const days = numberOf(query, 'days', 1, MAX_DAYS)
      return owner.earnings(days === undefined ? {} : { days })
    },
  },
  entries: {
    schema: { query: object({ afterId: queryNumber, limit: queryNumber }) },
    run: (owner, { query }) => {
      const limit = numberOf(query, 'limit', 1, MAX_PAGE)
      const afterId = numberOf(query, 'afterId', 0, Number.MAX_SAFE_INTEGER)
      return owner.entries({ ...(limit === undefined ? {} : { limit }), ...(afterId === undefined ? {} : { afterId }) })
    },
  },
}
