/**
 * The REST interface of the original node (section 6) as a function from a request to an answer; `io/` puts it on a
 * server. The HTTP status is 200 whatever happened, as clients expect: `error_code` says what. /api/2 is the same
 * with amounts as text. What the original has for its own tests and what would hand the node to any visitor is not offered.
 */
import { MeshBoxError } from '../../base/index.ts'
import { Fields } from '../wire/inspect/fields.ts'
import type { PhotonApi } from './api.ts'
import { parseExact, writeJson } from './json.ts'
import type { AmountForm } from './json.ts'
import type { Method, Route } from './route.ts'
import { ACCOUNT_ROUTES } from './routes/accounts.ts'
import { CHANNEL_ROUTES } from './routes/channels.ts'
import { NODE_ROUTES } from './routes/node.ts'
import { TRANSFER_ROUTES } from './routes/transfers.ts'

export const ROUTES: readonly Route[] = [...NODE_ROUTES, ...CHANNEL_ROUTES, ...TRANSFER_ROUTES, ...ACCOUNT_ROUTES]
export const MAX_BODY_BYTES = 64 * 1024

export interface RestRequest {
  readonly method: string
  /** From `/api/` on, without the query. */
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  /** '' for none. */
  readonly body: string
}

export interface RestAnswer {
  readonly status: 200 | 404 | 413
  /** JSON. */
  readonly body: string
}

/** A MeshBoxError on its way to a client: number (6.3) and text. */
export interface RestError {
  readonly code: number
  readonly message: string
}

const SUCCESS = 0
const UNKNOWN = -1
const ARGUMENT = 1
const NOT_FOUND = 1001
const CHAIN_NOT_CONNECTED = 2008
/** How the node's own errors are called in 6.3. A `photon-refused` has its number at the end of its text. */
const NODE_CODES: Readonly<Record<string, number>> = {
  'photon-channel': 3002, // channel not found
  'photon-not-ready': 1016, // node offline
  'photon-in-flight': 1013, // no new transfers
}

export interface Rest {
  /** Never throws. */
  answer(request: RestRequest): Promise<RestAnswer>
}

/** `onFault` hears what was no refusal but a fault of ours; the client is told only that there was one. */
export function createRest(api: PhotonApi, onFault: (fault: unknown) => void): Rest {
  return {
    async answer(request) {
      const [, root, version, ...rest] = request.path.replace(/\/$/, '').split('/')
      const form: AmountForm = version === '2' ? 'text' : 'digits'
      const found = root === 'api' && (version === '1' || version === '2') ? findRoute(request.method, rest) : null
      if (found === null) return { status: 404, body: failure({ code: NOT_FOUND, message: 'there is nothing at this path' }) }
      if (Buffer.byteLength(request.body) > MAX_BODY_BYTES) return { status: 413, body: failure({ code: ARGUMENT, message: `body: more than ${MAX_BODY_BYTES} bytes` }) }
      try {
        const asked = { path: new Fields(found.parts, ''), query: new Fields(Object.fromEntries(request.query), ''), body: new Fields(request.body.trim() === '' ? {} : parseExact(request.body), '') }
        const data = await found.route.answer(api, asked)
        return { status: 200, body: `{"error_code":${SUCCESS},"error_message":"SUCCESS","data":${writeJson(data ?? null, form)}}` }
      } catch (thrown) {
        const error = restError(thrown)
        if (error.code === UNKNOWN) onFault(thrown)
        return { status: 200, body: failure(error) }
      }
    },
  }
}

/** The number of a refusal: its own, or the nearest of the general ones. */
export function restError(thrown: unknown): RestError {
  if (!(thrown instanceof MeshBoxError) || thrown.kind === 'internal') return { code: UNKNOWN, message: 'unknown error' }
  const own = /^photon-(-?\d{1,5})$/.exec(thrown.code)?.[1] ?? (thrown.code === 'photon-refused' ? /\((\d{1,5})\)$/.exec(thrown.message)?.[1] : undefined)
  if (own !== undefined) return { code: Number(own), message: thrown.message }
  const ofNode = NODE_CODES[thrown.code]
  if (ofNode !== undefined) return { code: ofNode, message: thrown.message }
  if (thrown.kind === 'input') return { code: ARGUMENT, message: thrown.message }
  if (thrown.kind === 'not-found') return { code: NOT_FOUND, message: thrown.message }
  if (thrown.kind === 'unavailable') return { code: CHAIN_NOT_CONNECTED, message: thrown.message }
  return { code: UNKNOWN, message: thrown.message }
}

function failure(error: RestError): string {
  return `{"error_code":${error.code},"error_message":${JSON.stringify(error.message)},"data":null}`
}

function findRoute(method: string, parts: readonly string[]): { readonly route: Route; readonly parts: Readonly<Record<string, string>> } | null {
  for (const route of ROUTES) {
    const wanted = route.path.split('/')
    if (route.method !== (method as Method) || wanted.length !== parts.length) continue
    const named: Record<string, string> = {}
    const fits = wanted.every((part, index) => {
      const given = parts[index] ?? ''
      if (part.startsWith(':')) named[part.slice(1)] = given
      return part.startsWith(':') ? given !== '' : part === given
    })
    if (fits) return { route, parts: named }
  }
  return null
}
