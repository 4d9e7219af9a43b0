/** Requests to the dashboard's door as a browser of the owner sends them. */
import type { OwnerServer } from '../../../src/owner/index.ts'
import { CSRF_HEADER, ROUTES, SESSION_COOKIE } from '../../../src/owner/index.ts'
import type { LoginState, RouteName } from '../../../src/owner/index.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>
  readonly text: string
  readonly bytes: Buffer
  json(): Record<string, unknown>
}

export interface Ask {
  readonly params?: Record<string, string>
  readonly query?: Record<string, string | number>
  readonly body?: unknown
  readonly headers?: Record<string, string | undefined>
  readonly from?: string
}

/** A browser: keeps the cookie and the CSRF token of its login. */
export class Browser {
  cookie: string | null = null
  csrf: string | null = null
  readonly #server: OwnerServer
  readonly #from: string

  constructor(server: OwnerServer, from = '127.0.0.1') {
    this.#server = server
    this.#from = from
  }

  async ask(route: RouteName, { params = {}, query = {}, body, headers = {}, from = this.#from }: Ask = {}): Promise<Answer> {
    const { method, path } = ROUTES[route]
    const url = path.replace(/:(\w+)/g, (_all, name: string) => encodeURIComponent(params[name] ?? ''))
    const search = new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])).toString()
    return this.raw(method, search === '' ? url : `${url}?${search}`, { body, headers, from })
  }

  async raw(method: string, url: string, { body, headers = {}, from = this.#from }: Omit<Ask, 'params' | 'query'> = {}): Promise<Answer> {
    const sent: Record<string, string> = { host: '127.0.0.1:2090' }
    if (this.cookie !== null) sent['cookie'] = `${SESSION_COOKIE}=${this.cookie}`
    if (method !== 'GET' && this.csrf !== null) sent[CSRF_HEADER] = this.csrf
    if (body !== undefined) sent['content-type'] = 'application/json'
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) delete sent[name]
      else sent[name] = value
    }
    const answer = await this.#server.app.inject({
      method: method as 'GET',
      url,
      headers: sent,
      remoteAddress: from,
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const set = [answer.headers['set-cookie']].flat()[0]
    const value = /^meshbox_owner=([^;]*)/.exec(set ?? '')?.[1]
    if (value !== undefined) this.cookie = value === '' ? null : value
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, bytes: answer.rawPayload, json: () => JSON.parse(answer.body) as Record<string, unknown> }
  }

  async login(password: string, more: Record<string, unknown> = {}): Promise<Answer> {
    const answer = await this.ask('login', { body: { password, ...more } })
    if (answer.status === 200) this.csrf = (answer.json() as unknown as LoginState).csrf ?? null
    return answer
  }
}
