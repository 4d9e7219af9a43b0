/** Talks to the running service over its control socket, typed by the routes of the owner's API. */
import { request } from 'node:http'
import { MeshBoxError } from '../base/index.ts'
import type { ErrorKind, PublicError } from '../base/index.ts'
import { ROUTES } from '../owner/api/index.ts'
import type { RouteName, RouteTypes } from '../owner/api/index.ts'

/** A backup of large books to slow flash takes its time. */
const TIMEOUT_MS = 10 * 60_000
const MAX_ANSWER_BYTES = 256 * 1024 * 1024
const START_ADVICE = 'start it with `/etc/init.d/meshbox start`, or name its socket with --socket'

type Input<N extends RouteName> = (RouteTypes[N] extends { params: infer P } ? { params: P } : { params?: never }) &
  (RouteTypes[N] extends { query: infer Q } ? { query: Q } : { query?: never }) &
  (RouteTypes[N] extends { body: infer B } ? { body: B } : { body?: never })

export class ControlClient {
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  /** The parsed answer. Errors: what the service refused; unavailable `service-down`, `no-permission`. */
  async call<N extends RouteName>(name: N, input: Input<N>): Promise<RouteTypes[N]['reply']> {
    const { body, type } = await this.#send(name, input)
    if (!type.startsWith('application/json')) return (type.startsWith('text/') ? body.toString('utf8') : new Uint8Array(body)) as RouteTypes[N]['reply']
    return JSON.parse(body.toString('utf8')) as RouteTypes[N]['reply']
  }

  #send(name: RouteName, input: { params?: unknown; query?: unknown; body?: unknown }): Promise<{ body: Buffer; type: string }> {
    const { method, path } = ROUTES[name]
    const url = `${fillIn(path, (input.params ?? {}) as Record<string, string>)}${queryOf((input.query ?? {}) as Record<string, unknown>)}`
    const payload = method === 'GET' ? null : Buffer.from(JSON.stringify(input.body ?? {}))
    const headers = { host: 'localhost', ...(payload === null ? {} : { 'content-type': 'application/json', 'content-length': payload.length }) }
    return new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: this.#socketPath, method, path: url, headers, timeout: TIMEOUT_MS }, (answer) => {
        const chunks: Buffer[] = []
        let length = 0
        answer.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > MAX_ANSWER_BYTES) outgoing.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        answer.on('error', (error) => reject(connectionLost(this.#socketPath, error)))
        answer.on('end', () => {
          const body = Buffer.concat(chunks)
          if (answer.statusCode === 200) resolve({ body, type: String(answer.headers['content-type'] ?? '') })
          else reject(refusal(answer.statusCode ?? 500, body))
        })
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
      outgoing.on('error', (error) => reject(connectionLost(this.#socketPath, error)))
      outgoing.end(payload ?? undefined)
    })
  }
}

/** No connection, or it broke: says what to do. */
export function connectionLost(path: string, error: NodeJS.ErrnoException): MeshBoxError {
  const say = (code: string, message: string): MeshBoxError => new MeshBoxError('unavailable', message, { code, cause: error })
  switch (error.code) {
    case 'ENOENT':
      return say('service-down', `the service is not running: there is no socket ${path}; ${START_ADVICE}`)
    case 'ECONNREFUSED':
      return say('service-down', `the service is not running: nobody answers on ${path}; ${START_ADVICE}`)
    case 'EACCES':
    case 'EPERM':
      return say('no-permission', `no permission to use ${path}: run this command as root, or as the user of the service`)
    case 'ENOTSOCK':
    case 'ENOTDIR':
    case 'EINVAL':
      return say('service-down', `${path} is not the socket of the service; name it with --socket`)
    default:
      return say('service-lost', `the service did not finish its answer: ${error.message}; see its log`)
  }
}

function fillIn(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/:(\w+)/g, (_all, name: string) => encodeURIComponent(params[name] ?? ''))
}

function queryOf(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString()}`
}

const KINDS: Readonly<Record<number, ErrorKind>> = { 400: 'input', 401: 'unauthorized', 403: 'forbidden', 404: 'not-found', 409: 'conflict', 413: 'limit', 429: 'limit', 503: 'unavailable' }

function refusal(status: number, body: Buffer): MeshBoxError {
  let answer: Partial<PublicError>
  try {
    answer = JSON.parse(body.toString('utf8')) as Partial<PublicError>
  } catch {
    answer = {} // not from our service: the status is all there is to say
  }
  return new MeshBoxError(KINDS[status] ?? 'internal', answer.message ?? `the service answered with status ${status}`, {
    code: answer.error ?? 'internal',
    ...(answer.field === undefined ? {} : { field: answer.field }),
    ...(answer.value === undefined ? {} : { value: answer.value }),
    ...(answer.allowed === undefined ? {} : { allowed: answer.allowed }),
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
  })
}
