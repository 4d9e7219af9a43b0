/** Guests' sessions: list, look at, kick, pause, resume, extend, refund. */
import type { SessionsQuery } from '../../api.ts'
import type { Handler } from '../routes.ts'
import { NOTHING, integer, line, object, oneOf } from '../../request-schema.ts'
import { id, numberOf, queryNumber } from '../fields.ts'

const MAX_PAGE = 500
const ONE = { params: object({ id }, ['id']), query: NOTHING }
const ACT = { ...ONE, body: NOTHING }
const idOf = (params: Readonly<Record<string, string>>): string => params['id'] ?? ''

type SessionRoute = 'sessions' | 'session' | 'kick' | 'pause' | 'resume' | 'extend' | 'refund'

export const sessionRoutes: { [N in SessionRoute]: Handler<N> } = {
  sessions: {
    schema: { query: object({ state: oneOf('open', 'all'), find: line(64), limit: queryNumber, beforeId: id }) },
    run: (owner, { query }) => {
      const limit = numberOf(query, 'limit', 1, MAX_PAGE)
      const { state, find, beforeId } = query as SessionsQuery
      return owner.sessions({
        ...(state === undefined ? {} : { state }),
        ...(find === undefined ? {} : { find }),
        ...(beforeId === undefined ? {} : { beforeId }),
        ...(limit === undefined ? {} : { limit }),
      })
    },
  },
  session: { schema: ONE, run: (owner, { params }) => owner.session(idOf(params)) },
  kick: { schema: ACT, run: (owner, { params }) => owner.kick(idOf(params)) },
  pause: { schema: ACT, run: (owner, { params }) => owner.pause(idOf(params)) },
  resume: { schema: ACT, run: (owner, { params }) => owner.resume(idOf(params)) },
  extend: {
    schema: { ...ONE, body: object({ seconds: integer(1, 366 * 86_400), bytes: integer(1, 2 ** 40) }) },
    run: (owner, { params, body }) => owner.extend(idOf(params), body),
  },
  refund: { schema: ACT, run: (owner, { params }) => owner.refund(idOf(params)) },
}
