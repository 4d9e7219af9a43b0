/** Routes that exist only on the control socket, and `status` with what only the box's own console shows. */
import type { RouteName } from '../api.ts'
import { ROUTES } from '../api.ts'
import type { Handler } from './routes.ts'
import { NOTHING, flag, list, object, text } from '../request-schema.ts'
import { password, price } from './fields.ts'
import { address } from './routes/chain.ts'

export type ControlRoute = { [N in RouteName]: (typeof ROUTES)[N]['access'] extends 'control' ? N : never }[RouteName]

const MAX_PATH_CHARS = 1024
const ASK = { query: NOTHING, body: NOTHING }
const word = text(1, 16, /^[A-Za-z]+$/, 'a word of letters')

export const CONTROL_ROUTES: { readonly [N in ControlRoute]: Handler<N> } = {
  consoleStatus: { schema: { query: NOTHING }, run: (owner) => owner.consoleStatus() },
  backup: {
    schema: {
      query: NOTHING,
      body: object({ path: text(2, MAX_PATH_CHARS, /^\/[^\u0000]*$/, 'an absolute path') }, ['path']),
    },
    run: (owner, { body }) => owner.backup(body.path),
  },
  identityWords: { schema: ASK, run: (owner) => owner.recoveryWords() },
  voucherKeyWords: { schema: ASK, run: (owner) => owner.voucherWords() },
  voucherKeyAdopt: {
    schema: { query: NOTHING, body: object({ words: list(word, 24, 12), replace: flag }, ['words']) },
    run: (owner, { body }) => owner.adoptVoucherWords(body),
  },
  // Coins leave the box: whoever is root on it has no password to type.
  sendCoins: { schema: { query: NOTHING, body: object({ to: address, amount: price }, ['to', 'amount']) }, run: (owner, { body }) => owner.sendCoins(body) },
  setPassword: {
    schema: { query: NOTHING, body: object({ password }, ['password']) },
    run: async (owner, { body }) => {
      await owner.access.setPassword(body.password)
      return { passwordSet: true }
    },
  },
}
