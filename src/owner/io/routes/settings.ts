/** Name of the place, receipts, reload. */
import type { Handler } from '../routes.ts'
import { NOTHING, line, object } from '../schema.ts'

const MAX_RECEIPT_CHARS = 16 * 1024

type SettingsRoute = 'settings' | 'changeSettings' | 'verifyReceipt' | 'reload'

export const settingsRoutes: { [N in SettingsRoute]: Handler<N> } = {
  settings: { schema: { querystring: NOTHING }, run: (owner, { ownerTls }) => owner.settings(ownerTls) },
  changeSettings: {
    schema: { querystring: NOTHING, body: object({ name: line(48) }) },
    run: (owner, { body, ownerTls }) => owner.changeSettings(body, ownerTls),
  },
  verifyReceipt: {
    schema: { querystring: NOTHING, body: object({ receipt: { type: 'string', minLength: 1, maxLength: MAX_RECEIPT_CHARS } }, ['receipt']) },
    run: (owner, { body }) => owner.verifyReceipt(body),
  },
  reload: { schema: { querystring: NOTHING, body: NOTHING }, run: (owner) => owner.reload() },
}
