/** Routes that exist only on the control socket, and `status` with what only the box's own console shows. */
import type { RouteName } from '../api.ts'
import { ROUTES } from '../api.ts'
import type { Handler } from './routes.ts'
import { NOTHING, boolean, list, object, password } from './schema.ts'

export type ControlRoute = { [N in RouteName]: (typeof ROUTES)[N]['access'] extends 'control' ? N : never }[RouteName]

const MAX_PATH_CHARS = 1024
const ASK = { querystring: NOTHING, body: NOTHING }
const word = { type: 'string', minLength: 1, maxLength: 16, pattern: '^[A-Za-z]+$' }

export const CONTROL_ROUTES: { readonly [N in ControlRoute]: Handler<N> } = {
  consoleStatus: { schema: { querystring: NOTHING }, run: (owner) => owner.consoleStatus() },
  backup: {
    schema: {
      querystring: NOTHING,
      body: object({ path: { type: 'string', minLength: 2, maxLength: MAX_PATH_CHARS, pattern: '^/[^\\u0000]*$' } }, ['path']),
    },
    run: (owner, { body }) => owner.backup(body.path),
  },
  identityWords: { schema: ASK, run: (owner) => owner.recoveryWords() },
  voucherKeyWords: { schema: ASK, run: (owner) => owner.voucherWords() },
  voucherKeyAdopt: {
    schema: { querystring: NOTHING, body: object({ words: list(word, 24, 12), replace: boolean }, ['words']) },
    run: (owner, { body }) => owner.adoptVoucherWords(body),
  },
  setPassword: {
    schema: { querystring: NOTHING, body: object({ password }, ['password']) },
    run: async (owner, { body }) => {
      await owner.access.setPassword(body.password)
      return { passwordSet: true }
    },
  },
}
