/** State of the box and its recent events. */
import type { LogEventJson } from '../../api.ts'
import type { Handler } from '../routes.ts'
import { NOTHING, object, oneOf } from '../../request-schema.ts'
import { numberOf, queryNumber } from '../fields.ts'

const MAX_EVENTS = 500

export const statusRoutes: { status: Handler<'status'>; log: Handler<'log'>; supportBundle: Handler<'supportBundle'> } = {
  status: { schema: { query: NOTHING }, run: (owner) => owner.status() },
  log: {
    schema: { query: object({ limit: queryNumber, level: oneOf('debug', 'info', 'warn', 'error') }) },
    run: (owner, { query }) => {
      const limit = numberOf(query, 'limit', 1, MAX_EVENTS)
      const level = query['level'] as LogEventJson['level'] | undefined
      return owner.recentEvents({ ...(limit === undefined ? {} : { limit }), ...(level === undefined ? {} : { level }) })
    },
  },
  supportBundle: {
    schema: { query: NOTHING },
    run: (owner) => owner.supportBundle(),
    type: 'application/gzip',
    saveAs: () => 'meshbox-support.tar.gz',
  },
}
