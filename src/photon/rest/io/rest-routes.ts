/** The REST interface on a Fastify server. Who may ask is the server's to decide, before a request comes here. */
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import { MAX_BODY_BYTES } from '../rest.ts'
import type { Rest } from '../rest.ts'

/**
 * Puts `/api/1/…` and `/api/2/…` on the server. `authorize` throws or answers for who may not ask; it runs before the body
 * is read. Bodies stay text: a server's own JSON parser would round amounts.
 */
export async function serveRest(server: FastifyInstance, rest: Rest, authorize: onRequestAsyncHookHandler): Promise<void> {
  await server.register(async (scope) => {
    scope.addHook('onRequest', authorize)
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => done(null, body))
    // Both by name, so that the server's own paths below /api stay its own.
    for (const url of ['/api/1/*', '/api/2/*']) {
      scope.route({
        method: ['GET', 'PUT', 'POST', 'PATCH'],
        url,
        handler: async (request, reply) => {
          const [path = '', query = ''] = splitOnce(request.url, '?')
          const answer = await rest.answer({ method: request.method, path: decodePath(path), query: new Map(new URLSearchParams(query)), body: typeof request.body === 'string' ? request.body : '' })
          return reply.code(answer.status).type('application/json; charset=utf-8').send(answer.body)
        },
      })
    }
  })
}

function splitOnce(text: string, by: string): readonly [string, string] {
  const at = text.indexOf(by)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** As it came when it is no valid escape: it then fits no route. */
function decodePath(path: string): string {
  try {
    return decodeURI(path)
  } catch (thrown) {
    if (thrown instanceof URIError) return path
    throw thrown
  }
}
