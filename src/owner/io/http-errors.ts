/**
 * Every refusal of the owner's doors as PublicError JSON: errors of the schema and of the rooms go out as
 * they are, anything else is logged here and answered without a detail. Errors of Fastify are translated
 * by their code (fastify.dev/docs/latest/Reference/Errors).
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { MeshBoxError, asError, httpStatus } from '../../base/index.ts'
import type { Log, PublicError } from '../../base/index.ts'
import { ROUTES } from '../api.ts'

interface Refusal {
  readonly status: number
  readonly body: PublicError
}

export function sendError(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const wait = refusal.body.retryAfterSeconds
  if (wait !== undefined) void reply.header('retry-after', String(wait))
  return reply.code(refusal.status).type('application/json; charset=utf-8').send(JSON.stringify(refusal.body))
}

/** What to answer to anything thrown while a request was handled. */
export function refusalOf(thrown: unknown, request: FastifyRequest, log: Log): Refusal {
  if (thrown instanceof MeshBoxError) {
    if (thrown.kind === 'internal') log.error('request failed', { path: request.routeOptions.url, error: thrown })
    return { status: httpStatus(thrown.kind), body: thrown.toPublic() }
  }
  const error = asError(thrown) as FastifyError
  const known = FASTIFY[error.code]
  if (known) return { status: known.status, body: { error: known.code, message: known.message, ...(known.allowed === undefined ? {} : { allowed: known.allowed }) } }
  if (typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500)
    return { status: error.statusCode, body: { error: 'bad-request', message: 'the request is malformed' } }
  log.error('request failed', { path: request.routeOptions.url, error })
  return { status: 500, body: { error: 'internal', message: "something went wrong in the box; the log says what" } }
}

const FASTIFY: Readonly<Record<string, { status: number; code: string; message: string; allowed?: string } | undefined>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: { status: 400, code: 'bad-json', message: 'the body is not valid JSON' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { status: 400, code: 'bad-json', message: 'the body is empty but says it is JSON' },
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'too-large', message: 'the body is too large', allowed: 'at most 64 KiB' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { status: 400, code: 'bad-request', message: 'the body is not as long as Content-Length says' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { status: 415, code: 'bad-content-type', message: 'the body has the wrong type', allowed: 'application/json' },
  FST_ERR_BAD_URL: { status: 400, code: 'bad-path', message: 'the path is malformed' },
  FST_ERR_ASYNC_CONSTRAINT: { status: 400, code: 'bad-request', message: 'the request is malformed' },
}

/** Nothing at this path, or not with this method. */
export function refusalOfUnknown(method: string, path: string): Refusal & { readonly allow: string | null } {
  const methods = Object.values(ROUTES)
    .filter((route) => matches(route.path, path))
    .map((route) => route.method)
  if (methods.length === 0 || (methods as string[]).includes(method))
    return { status: 404, allow: null, body: { error: 'not-found', message: 'there is nothing here', field: 'path', value: path.slice(0, 80) } }
  const allow = [...new Set(methods)].join(', ')
  return { status: 405, allow, body: { error: 'bad-method', message: `${method.slice(0, 20)} is not possible here`, field: 'method', value: method.slice(0, 20), allowed: allow } }
}

function matches(template: string, path: string): boolean {
  const wanted = template.split('/')
  const given = path.split('/')
  return wanted.length === given.length && wanted.every((part, index) => part.startsWith(':') || part === given[index])
}
