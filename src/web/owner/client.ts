/**
 * One function for every request to the box: `call('pause', { params: { id } })`. Routes, bodies and
 * answers come from the owner room's api.ts; that file is the contract.
 *
 * A request that is not GET carries the CSRF text of the login. Nothing but GET is ever repeated by itself:
 * the owner decides, because a request that got no answer may have been carried out.
 */
import { BACKGROUND_HEADER, CSRF_HEADER, ROUTES } from '../../owner/api.ts'
import type { LoginState, PublicError, RouteName, RouteTypes } from '../../owner/api.ts'
import { cell } from './cell.ts'
import { reportAnswer, reportSilence } from './connection.ts'
import * as S from './strings.ts'

const TIMEOUT_MS = 20_000
/** A backup of a large book to slow flash is made before its first byte comes. */
const FILE_TIMEOUT_MS = 10 * 60_000

/** The box answered, and said no. */
export class ApiError extends Error {
  readonly status: number
  readonly body: PublicError
  constructor(status: number, body: PublicError) {
    super(body.message)
    this.status = status
    this.body = body
  }
}

/** The box did not answer, so nobody knows whether the request was carried out. */
export class SilenceError extends Error {}

/** `locked`: the login ended while a page was open; the page stays, with its half-filled forms, behind a password prompt. */
export type Phase = 'starting' | 'setup' | 'login' | 'in' | 'locked'
export interface Auth {
  readonly phase: Phase
  readonly login: LoginState | null
}
export const auth = cell<Auth>({ phase: 'starting', login: null })

/** Takes the answer of a login route as the new state. */
export function enter(login: LoginState): void {
  auth.set({ phase: login.state, login })
}

/** Ends the login on the box. Rejects with SilenceError when the box does not answer: the login is still there then. */
export async function signOut(): Promise<void> {
  try {
    enter(await call('logout', {}))
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown
    auth.set({ phase: 'starting', login: null }) // it had ended already: ask the box anew
  }
  location.hash = '' // whoever signs in next begins at home
}

/** Has the owner touched the page since the last request? A page that only refreshes itself does not keep the login alive. */
let touched = true
for (const event of ['pointerdown', 'keydown']) addEventListener(event, () => (touched = true), { passive: true })

function isUnattended(method: string): boolean {
  const unattended = method === 'GET' && !touched
  touched = false
  return unattended
}

type Part<T, Key extends string> = T extends Record<Key, infer Value> ? Record<Key, Value> : unknown
export type CallArguments<R extends RouteName> = Part<RouteTypes[R], 'params'> &
  Part<RouteTypes[R], 'body'> &
  Part<RouteTypes[R], 'query'>
interface LooseArguments {
  params?: Record<string, string>
  query?: Record<string, string | number | undefined>
  body?: unknown
}

/** Path and query of a route, also for links that open or download. */
export function pathOf<R extends RouteName>(route: R, args: Part<RouteTypes[R], 'params'> & Part<RouteTypes[R], 'query'>): string {
  const { params = {}, query = {} } = args as LooseArguments
  const path = ROUTES[route].path.replace(/:(\w+)/g, (_all, name: string) => encodeURIComponent(params[name] ?? ''))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, String(value))
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}

/** Rejects with ApiError or SilenceError. */
export async function call<R extends RouteName>(route: R, args: CallArguments<R>): Promise<RouteTypes[R]['reply']> {
  const response = await request(route, args, TIMEOUT_MS)
  return (await wholeBody(() => response.json())) as RouteTypes[R]['reply']
}

/** The same for routes that answer with a file. */
export async function callForFile(route: RouteName): Promise<{ file: Blob; name: string }> {
  const response = await request(route, {}, FILE_TIMEOUT_MS)
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'meshbox'
  return { file: await wholeBody(() => response.blob()), name }
}

async function request(route: RouteName, args: unknown, timeoutMs: number, isSecondTry = false): Promise<Response> {
  const response = await send(route, args, timeoutMs)
  if (response.ok) return response
  const body = await readError(response)
  if (body.error === 'bad-csrf' && !isSecondTry) {
    // another tab signed in anew: the box refused without doing anything, so asking again is safe
    enter(await call('loginState', {}))
    return request(route, args, timeoutMs, true)
  }
  if (body.error === 'not-logged-in' && auth.get().phase === 'in') auth.set({ ...auth.get(), phase: 'locked' })
  if (body.error === 'not-set-up') auth.set({ phase: 'starting', login: null })
  throw new ApiError(response.status, body)
}

async function send(route: RouteName, args: unknown, timeoutMs: number): Promise<Response> {
  const { method } = ROUTES[route]
  const { body } = args as LooseArguments
  const csrf = auth.get().login?.csrf
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(), timeoutMs)
  try {
    const response = await fetch(pathOf(route, args as never), {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: giveUp.signal,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'GET' || csrf === undefined ? {} : { [CSRF_HEADER]: csrf }),
        ...(isUnattended(method) ? { [BACKGROUND_HEADER]: '1' } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    reportAnswer()
    return response
  } catch (thrown) {
    reportSilence()
    throw new SilenceError(method === 'GET' ? S.netNoAnswer : S.netNoAnswerToChange, { cause: thrown })
  } finally {
    clearTimeout(timer)
  }
}

/** An answer that breaks off in the middle is no answer. */
async function wholeBody<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (thrown) {
    throw new SilenceError(S.netCutOff, { cause: thrown })
  }
}

async function readError(response: Response): Promise<PublicError> {
  try {
    const body = (await response.json()) as Partial<PublicError>
    if (typeof body.error === 'string' && typeof body.message === 'string') return body as PublicError
  } catch (thrown) {
    return { error: 'not-json', message: S.netStrangeAnswer(response.status, thrown instanceof Error ? thrown.message : '') }
  }
  return { error: 'no-error', message: S.netStrangeAnswer(response.status, '') }
}
