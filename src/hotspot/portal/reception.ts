/**
 * What happens to a request before a route sees it, in order: too many? too long? for us at all? which
 * route? whose device? And for forms: sent from our own page? It opens no socket itself, so the tests ask
 * it the same way the listener does.
 */
import { MeshBoxError, RateLimit, inputError, type Clock, type Log } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import type { MacAddress, NeighbourTable } from '../gate/types.ts'
import type { ClientAddress, GuestDesk } from '../types.ts'
import { type Answer, bytesAnswer, plainPage, redirectAnswer } from './answer.ts'
import type { Asked, AskedByGuest, Counter } from './asked.ts'
import { isOnline } from './capport-api.ts'
import { capturedPaid, capturedUnpaid } from './captured.ts'
import { type Destination, capturedDestination, readDestination } from './destination.ts'
import { type Form, readForm, requireOwnPage } from './form.ts'
import type { Front } from './front.ts'
import { type GuestRpc, answerRpc, preflightAnswer, requireOwnOrigin } from './guest-rpc.ts'
import { type Authority, type Target, isOwnHost, originOf, parseAuthority, parseTarget, plainAddress } from './host-rule.ts'
import { isLanguageCode, pickLanguage } from './languages/index.ts'
import { withQuery } from './page/context.ts'
import { UNKNOWN_DEVICE_SECONDS, problemAnswer } from './problem.ts'
import { refused } from './routes/act.ts'
import type { AheadDoor } from '../ahead/index.ts'
import type { StreamDoor } from '../stream/index.ts'
import { type Match, allowedMethods, routeOf } from './routes/table.ts'
import type { Seals } from './seals.ts'
import { STREAM_PATH, type StreamDesk } from './stream-desk.ts'
import { acceptOf } from '../../base/websocket.ts'

/** A request as the socket delivered it. */
export interface RequestHead {
  readonly method: string
  /** The target of the request line, untouched. */
  readonly target: string
  /** Lower-case names; repeated ones as Node joins them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly hostHeaders: number
  readonly remoteAddress: string
  readonly localAddress: string | null
  /** null where there is no socket (injected requests): the plain listener's port counts. */
  readonly localPort: number | null
  readonly secure: boolean
}

/** A form, or a question to the chain, that may be read: the body comes next. */
export interface FormAwaited {
  readonly asked: AskedByGuest
  readonly match: Match
  readonly head: RequestHead
}

/** A WebSocket that may be opened, and whose it is. */
export interface Upgrade {
  readonly mac: MacAddress
  /** For `Sec-WebSocket-Accept`. */
  readonly accept: string
}

/** What is true of the TLS portal at this moment. */
export interface TlsPresence {
  /** The certificate can be announced. */
  readonly isAnnounced: boolean
  /** Its dates were checked against a trusted clock, so that people may be sent there. */
  readonly isSure: boolean
  readonly port: number
}

export interface ReceptionDeps {
  readonly desk: GuestDesk
  readonly neighbours: Pick<NeighbourTable, 'macOf' | 'ip4Of'>
  readonly config: () => Config
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly log: Log
  readonly seals: Seals
  readonly front: Front
  /** null: there is no chain, or its owner keeps it from guests. */
  readonly rpc: () => GuestRpc | null
  readonly streams: StreamDesk
  readonly streamDoor: () => StreamDoor | null
  readonly ahead: () => AheadDoor | null
  /** Port of the plain listener. */
  readonly httpPort: () => number
  readonly tls: () => TlsPresence | null
}

const MAX_URL_LENGTH = 2048
const MAX_LANGUAGE_CODE = 8

/** One phone's background traffic asks in bursts; a person does not press a button ten times a second. */
const PER_ADDRESS = { burst: 120, perSecond: 20 }
const PER_DEVICE = { burst: 200, perSecond: 30 }
const FORMS_PER_DEVICE = { burst: 12, perSecond: 1 }
const OVERALL = { burst: 1500, perSecond: 600 }

export class Reception {
  readonly #deps: ReceptionDeps
  readonly #perAddress = new RateLimit(PER_ADDRESS)
  readonly #perDevice = new RateLimit(PER_DEVICE)
  readonly #formsPerDevice = new RateLimit(FORMS_PER_DEVICE)
  readonly #overall = new RateLimit(OVERALL, 1)

  constructor(deps: ReceptionDeps) {
    this.#deps = deps
  }

  /** The whole answer, or the form whose body has to be read first. */
  async receive(head: RequestHead): Promise<Answer | FormAwaited> {
    const nowMs = this.#deps.clock.boottimeMs()
    const wait = this.#perAddress.take(plainAddress(head.remoteAddress), nowMs)
    if (wait > 0) return tooFast(429, wait)
    const overallWait = this.#overall.take('all', nowMs)
    if (overallWait > 0) return tooFast(503, overallWait)

    if (head.hostHeaders > 1) return this.#bad(head, inputError('Host', `${head.hostHeaders} headers`, 'one'))
    const isTooLong = head.target.length > MAX_URL_LENGTH
    const target = isTooLong ? null : parseTarget(head.target)
    const authority = parseAuthority(target?.authority ?? text(head.headers['host']))
    if (authority === null || !isOwnHost(authority.host, this.#ownNames(head))) return this.#captured(head, target, authority)
    if (target === null) return this.#bad(head, isTooLong ? urlTooLong() : inputError('URL', head.target, '/path or http://host/path'))
    return this.#own(head, target, authority, nowMs)
  }

  /** The rest of a form: `body` is its text, at most 4 KiB; of a question to the chain 64 KiB; of a stream its bytes. */
  async complete(awaited: FormAwaited, body: string | Uint8Array): Promise<Answer> {
    const { asked, match, head } = awaited
    const counter = this.#counter()
    if (typeof body !== 'string') return this.#exchange(awaited, body)
    if (match.route.kind === 'rpc') return this.#answerRpc(awaited, body)
    if (match.route.kind !== 'act') throw new MeshBoxError('internal', 'a form for a route that takes none', { code: 'internal' })
    try {
      let form: Form
      try {
        form = readForm(body)
        requireOwnPage(form, asked, head.headers, counter.seals)
      } catch (error) {
        if (error instanceof MeshBoxError && error.code === 'page-old') return refused(asked, counter, error, new URLSearchParams(body).get('code') ?? '')
        throw error
      }
      return await match.route.run(asked, counter, form)
    } catch (error) {
      return this.#failed(error, asked, counter)
    }
  }

  /**
   * A request that wants another protocol: a WebSocket, on its one path, for known devices, and only from a page of
   * ours. Any other is answered as if it had not wanted one.
   */
  async upgrade(head: RequestHead): Promise<Answer | Upgrade> {
    const target = head.target.length > MAX_URL_LENGTH || head.hostHeaders > 1 ? null : parseTarget(head.target)
    const authority = parseAuthority(target?.authority ?? text(head.headers['host']))
    const isOwn = authority !== null && isOwnHost(authority.host, this.#ownNames(head))
    const accept = acceptOf(head)
    if (!isOwn || target?.path !== STREAM_PATH || accept === null || !this.#deps.streams.isOpen) {
      const answer = await this.receive(head)
      return 'status' in answer ? answer : plainPage(400, '<title>Wi-Fi</title>', '')
    }
    const nowMs = this.#deps.clock.boottimeMs()
    const wait = Math.max(this.#perAddress.take(plainAddress(head.remoteAddress), nowMs), this.#overall.take('all', nowMs))
    if (wait > 0) return tooFast(429, wait)
    // Browsers always say whose page asks for a WebSocket (RFC 6455, 10.2).
    const origin = originHeader(head)
    if (origin !== undefined && origin !== this.#canonicalOrigin(head, authority)) return plainPage(403, '<title>Wi-Fi</title>', '')
    const client = await this.#clientOf(head.remoteAddress)
    if (client === null) return plainPage(503, '<title>Wi-Fi</title>', '', { 'Retry-After': String(UNKNOWN_DEVICE_SECONDS) })
    const deviceWait = this.#perDevice.take(client.mac, nowMs)
    return deviceWait > 0 ? tooFast(429, deviceWait) : { mac: client.mac, accept }
  }

  /** For refusals that the listener itself makes: body too large, wrong content type, our own failure. */
  async refuse(head: RequestHead, error: unknown): Promise<Answer> {
    const asked = this.#anonymous(head, parseTarget(head.target))
    return this.#failed(error, asked, this.#counter())
  }

  async #own(head: RequestHead, target: Target, authority: Authority, nowMs: number): Promise<Answer | FormAwaited> {
    const isLook = head.method === 'GET' || head.method === 'HEAD'
    const canonical = this.#canonicalOrigin(head, authority)
    if (isLook && canonical !== originOf(head.secure, authority.host, authority.port ?? (head.secure ? 443 : 80)))
      return redirectAnswer(302, `${canonical}${target.path}${target.query === null ? '' : `?${target.query}`}`)

    const anonymous = this.#anonymous(head, target, canonical)
    const counter = this.#counter()
    const match = this.#routeOf(target.path)
    if (match === null) return problemAnswer(new MeshBoxError('not-found', 'there is no such page', { code: 'not-found' }), anonymous, counter)
    const allowed = allowedMethods(match.route)
    if (!allowed.split(', ').includes(head.method)) return problemAnswer(wrongMethod(head.method, allowed), anonymous, counter, { Allow: allowed })

    const client = await this.#clientOf(head.remoteAddress)
    if (client !== null) {
      const wait = Math.max(this.#perDevice.take(client.mac, nowMs), isLook || match.route.kind === 'rpc' || match.route.kind === 'stream' ? 0 : this.#formsPerDevice.take(client.mac, nowMs))
      if (wait > 0) return problemAnswer(tooManyRequests(wait), anonymous, counter)
    }
    try {
      if (match.route.kind === 'rpc') {
        requireOwnOrigin(originHeader(head), canonical)
        if (head.method === 'OPTIONS') return preflightAnswer(originHeader(head))
      }
      if (match.route.kind === 'stream') requireOwnOrigin(originHeader(head), canonical)
      const query = new URLSearchParams(target.query ?? '')
      const asked: Asked = { ...anonymous, client, destination: client && readDestination(query, client.mac, counter.seals) }
      if (match.route.kind === 'open') return match.route.run(asked, counter, match.argument)
      if (!isKnown(asked)) throw unknownDevice()
      if (match.route.kind === 'look') return await match.route.run(asked, counter, match.argument)
      return { asked, match, head }
    } catch (error) {
      return this.#failed(error, anonymous, counter)
    }
  }

  async #answerRpc({ asked, head }: FormAwaited, body: string): Promise<Answer> {
    const counter = this.#counter()
    try {
      const rpc = this.#deps.rpc()
      if (rpc === null) throw new MeshBoxError('not-found', 'there is no such page', { code: 'not-found' })
      return await answerRpc(asked, counter, rpc, body, originHeader(head))
    } catch (error) {
      return this.#failed(error, asked, counter)
    }
  }

  async #exchange({ asked }: FormAwaited, body: Uint8Array): Promise<Answer> {
    try {
      return bytesAnswer(await this.#deps.streams.exchange(asked.client.mac, body))
    } catch (error) {
      return this.#failed(error, asked, this.#counter())
    }
  }

  #routeOf(path: string): Match | null {
    const match = routeOf(path)
    if (match?.route.kind === 'stream' && !this.#deps.streams.isOpen) return null
    return match?.route.kind === 'rpc' && this.#deps.rpc() === null ? null : match
  }

  /** `target` is null for what we would not read ourselves: it is led to the portal all the same. */
  async #captured(head: RequestHead, target: Target | null, authority: Authority | null): Promise<Answer> {
    const client = await this.#clientOf(head.remoteAddress)
    const language = pickLanguage(null, text(head.headers['accept-language']))
    const address =
      target === null || authority === null || head.secure || head.method !== 'GET' ? null : capturedDestination(authority.host, authority.port, target.path, target.query)
    const session = client === null ? null : this.#deps.desk.view(client).session
    if (session !== null && isOnline(session)) return capturedPaid(address, `${this.#portalOrigin()}/`, language)
    const destination: Destination | null =
      client === null || address === null ? null : { url: address, host: '', seal: this.#deps.seals.sealDestination(client.mac, address) }
    return capturedUnpaid(this.#portalOrigin() + withQuery('/', null, destination), language)
  }

  /** Where captured guests are sent: the TLS portal only if we can be sure that it works for them. */
  #portalOrigin(): string {
    const { portalHost } = this.#deps.config().hotspot
    const tls = this.#deps.tls()
    return tls !== null && tls.isSure ? originOf(true, portalHost, tls.port) : originOf(false, portalHost, this.#deps.httpPort())
  }

  /**
   * The origin a page is served under. By our name it is the portal's; by address it stays plain, which is
   * the way in for a device whose own clock rejects the certificate. Always with the listener's own port:
   * under port 80 a guest gets here only as long as he has not paid.
   */
  #canonicalOrigin(head: RequestHead, authority: Authority): string {
    if (!head.secure && authority.host === this.#deps.config().hotspot.portalHost.toLowerCase() && this.#deps.tls()?.isSure === true) return this.#portalOrigin()
    return originOf(head.secure, authority.host, head.localPort ?? this.#deps.httpPort())
  }

  async #clientOf(remoteAddress: string): Promise<ClientAddress | null> {
    const ip = plainAddress(remoteAddress)
    const mac = await this.#deps.neighbours.macOf(ip)
    if (mac === null) return null
    return { mac, ip, ip4: ip.includes(':') ? this.#deps.neighbours.ip4Of(mac) : ip }
  }

  #anonymous(head: RequestHead, target: Target | null, origin: string | null = null): Asked {
    const query = new URLSearchParams(target?.query ?? '')
    const lang = query.get('lang')
    const chosen = lang !== null && lang.length <= MAX_LANGUAGE_CODE && isLanguageCode(lang) ? lang : null
    const tls = this.#deps.tls()
    const { portalHost } = this.#deps.config().hotspot
    return {
      path: target?.path ?? '/',
      accept: text(head.headers['accept']),
      acceptEncoding: text(head.headers['accept-encoding']),
      ifNoneMatch: text(head.headers['if-none-match']),
      language: pickLanguage(chosen, text(head.headers['accept-language'])),
      chosenLanguage: chosen,
      destination: null,
      origin: origin ?? this.#portalOrigin(),
      tlsPortalUrl: tls?.isAnnounced === true ? `${originOf(true, portalHost, tls.port)}/` : null,
      client: null,
    }
  }

  #ownNames(head: RequestHead): Parameters<typeof isOwnHost>[1] {
    const { portalHost, portalAddress, gate } = this.#deps.config().hotspot
    return { portalHost, portalAddress, localAddress: head.localAddress, loopback: gate === 'record' }
  }

  #counter(): Counter<GuestDesk> {
    return { desk: this.#deps.desk, config: this.#deps.config(), seals: this.#deps.seals, front: this.#deps.front, stream: this.#deps.streamDoor(), ahead: this.#deps.ahead() }
  }

  #bad(head: RequestHead, error: MeshBoxError): Answer {
    return problemAnswer(error, this.#anonymous(head, null), this.#counter())
  }

  #failed(error: unknown, asked: Asked, counter: Counter<GuestDesk>): Answer {
    if (error instanceof MeshBoxError && error.kind !== 'internal') {
      const retry = error.code === 'unknown-device' ? { 'Retry-After': String(UNKNOWN_DEVICE_SECONDS) } : {}
      return problemAnswer(error, asked, counter, retry)
    }
    this.#deps.log.error('a guest request failed', { route: routeName(asked.path), error })
    return problemAnswer(new MeshBoxError('internal', 'something went wrong on our side', { code: 'internal' }), asked, counter)
  }
}

function isKnown(asked: Asked): asked is AskedByGuest {
  return asked.client !== null
}

/** Paths may hold a voucher or a ticket: the log names only the route. */
function routeName(path: string): string {
  return path.replace(/^(\/[vVtT]\/|\/captive-portal\/api\/).*/, '$1…').slice(0, 40)
}

function text(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : (header?.[0] ?? '')
}

function originHeader(head: RequestHead): string | undefined {
  const origin = head.headers['origin']
  return typeof origin === 'string' ? origin : undefined
}

function tooFast(status: 429 | 503, seconds: number): Answer {
  return plainPage(status, '<title>Wi-Fi</title>', '<p>Too many requests.</p>', { 'Retry-After': String(seconds), Connection: 'close' })
}

function tooManyRequests(seconds: number): MeshBoxError {
  return new MeshBoxError('limit', `too many requests; wait ${seconds} s`, { code: 'too-many-requests', retryAfterSeconds: seconds })
}

function urlTooLong(): MeshBoxError {
  return new MeshBoxError('input', `URL: at most ${MAX_URL_LENGTH} characters are allowed`, { code: 'url-too-long', field: 'URL', allowed: `at most ${MAX_URL_LENGTH} characters` })
}

function wrongMethod(method: string, allowed: string): MeshBoxError {
  return new MeshBoxError('input', `method: ${method} is not allowed; allowed: ${allowed}`, { code: 'method-not-allowed', field: 'method', value: method, allowed })
}

function unknownDevice(): MeshBoxError {
  return new MeshBoxError('unavailable', 'the box does not know this device yet', { code: 'unknown-device', retryAfterSeconds: UNKNOWN_DEVICE_SECONDS })
}
