/** Name of the place, receipts, reload. */
import type { Handler } from '../routes.ts'
import { NOTHING, line, object, text } from '../../request-schema.ts'

const MAX_RECEIPT_CHARS = 16 * 1024

type SettingsRoute = 'settings' | 'changeSettings' | 'verifyReceipt' | 'reload'

export const settingsRoutes: { [N in SettingsRoute]: Handler<N> } = {
  settings: { schema: { query: NOTHING }, run: (owner, { ownerTls }) => owner.settings(ownerTls) },
  changeSettings: {
    schema: { query: NOTHING, body: object({ name: line(48) }) },
    run: (owner, { body, ownerTls }) => owner.changeSettings(body, ownerTls),
  },
  verifyReceipt: {
    schema: { query: NOTHING, body: object({ receipt: text(1, MAX_RECEIPT_CHARS) }, ['receipt']) },
    run: (owner, { body }) => owner.verifyReceipt(body),
  },
  reload: { schema: { query: NOTHING, body: NOTHING }, run: (owner) => owner.reload() },
}
