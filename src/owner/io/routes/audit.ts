/** The books, compared. */
import type { Handler } from '../routes.ts'
import { NOTHING } from '../../request-schema.ts'

export const auditRoutes: { audit: Handler<'audit'> } = {
  audit: { schema: { query: NOTHING }, run: ({ audit }) => audit.run() },
}
