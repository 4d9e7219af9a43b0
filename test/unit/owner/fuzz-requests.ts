/** Requests as nobody should send them, made from good ones. */
import { BACKGROUND_HEADER, CSRF_HEADER, ROUTES, SESSION_COOKIE } from '../../../src/owner/api.ts'
import type { RouteName } from '../../../src/owner/api.ts'
import { CHANNELS, PAYMENTS } from '../../support/photon-views.ts'

const CHANNEL = CHANNELS[0]?.id ?? ''
const PAYMENT = PAYMENTS[0]?.id ?? ''

/** A request that is right, for each route; what is not named here takes neither parameter, query nor body. */
export const GOOD: Partial<Record<RouteName, { params?: Record<string, string>; query?: Record<string, string>; body?: Record<string, unknown> }>> = {
  login: { body: { password: 'correct horse 9', browserWallMs: 1_800_000_000_000 } },
  changePassword: { body: { current: 'correct horse 9', next: 'correct horse 9' } },
  setup: { body: { setupCode: 'ABCD-EFGH', name: 'Bar', minutesPerToken: 10, guestInterface: 'br-guest', password: 'correct horse 9', packages: 'cafe', browserWallMs: 1_800_000_000_000 } },
  log: { query: { limit: '10', level: 'info' } },
  sessions: { query: { state: 'all', find: 'x', limit: '10', beforeId: '00000000000000a2' } },
  session: { params: { id: '00000000000000a2' } },
  kick: { params: { id: '00000000000000a2' } },
  pause: { params: { id: '00000000000000a2' } },
  resume: { params: { id: '00000000000000a2' } },
  extend: { params: { id: '00000000000000a2' }, body: { seconds: 60, bytes: 1000 } },
  refund: { params: { id: '00000000000000a2' } },
  vouchers: { query: { batch: 'b1', state: 'used', limit: '10', offset: '0' } },
  createVouchers: { body: { packageId: 'half_hour', count: 2, validUntil: '2099-01-01', note: 'x' } },
  revokeVouchers: { body: { code: 'ABCDE-FGHJK' } },
  voucherSheet: { query: { batch: 'b1' } },
  voucherCsv: { query: { batch: 'b1' } },
  changeTariff: {
    body: {
      pricePerMinute: '0.1',
      pricePerMib: '0',
      trialMinutes: 5,
      trialMib: null,
      downKbps: null,
      upKbps: 1000,
      packages: [{ id: 'half_hour', slot: 0, label: '30 minutes', seconds: 1800, bytes: null, price: '3', devices: 1, downKbps: null, upKbps: null, offered: true }],
      happyHours: [{ id: 'noon', label: 'Noon', basis: 'clock', fromMinute: 720, toMinute: 780, days: ['mon'], discountPercent: 20 }],
    },
  },
  earnings: { query: { days: '7' } },
  entries: { query: { afterId: '0', limit: '10' } },
  changeSettings: { body: { name: 'Bar' } },
  adoptBranch: { body: { hash: `0x${'5e'.repeat(32)}` } },
  sendCoins: { body: { to: `0x${'b2'.repeat(20)}`, amount: '2.5' } },
  sendCoinsConfirmed: { body: { to: `0x${'b2'.repeat(20)}`, amount: '2.5', password: 'correct horse 9' } },
  clearPhotonAlarm: { params: { id: '1' } },
  wrapCoins: { body: { amount: '2.5' } },
  unwrapCoins: { body: { amount: '2.5' } },
  orderPoc: { body: { order: 'deposit' } },
  chainPocCalls: { body: { wallet: `0x${'b2'.repeat(20)}` } },
  openChannel: { body: { partner: `0x${'b2'.repeat(20)}`, token: 'MIN', amount: '2.5', settleTimeoutBlocks: 600, role: 'core' } },
  photonChannels: { query: { limit: '10' } },
  photonChannel: { params: { id: CHANNEL } },
  depositToChannel: { params: { id: CHANNEL }, body: { amount: '2.5' } },
  withdrawFromChannel: { params: { id: CHANNEL }, body: { amount: '2.5' } },
  closeChannel: { params: { id: CHANNEL }, body: { force: true } },
  photonPayments: { query: { before: '2', limit: '2' } },
  photonPayment: { params: { id: PAYMENT } },
  pay: { body: { target: `0x${'b2'.repeat(20)}`, token: 'MIN', amount: '2.5', direct: false, maxFee: '0.1', data: 'x', secretHash: `0x${'5e'.repeat(32)}` } },
  cancelPayment: { params: { id: PAYMENT } },
  allowReveal: { params: { id: PAYMENT } },
  photonPaths: { query: { target: `0x${'b2'.repeat(20)}`, token: 'MIN', amount: '2.5' } },
  addPhotonPeer: { body: { account: `0x${'b2'.repeat(20)}`, address: '/ip4/192.0.2.7/tcp/4011' } },
  payouts: { query: { beforeId: '9', limit: '10' } },
  payPayout: { body: { account: 'investor:anna', token: 'MIN' } },
  notePayout: { body: { account: 'investor:anna', token: 'MIN', amount: '2.5', memo: 'in cash' } },
  payout: { params: { id: '3' } },
  resumePayout: { params: { id: '3' }, body: { isAnew: false } },
  payoutStatement: { params: { id: '3' }, query: { series: '1' } },
  meshPath: { query: { to: 'roof two' } },
  meshInvite: { body: { uses: 2, days: 7 } },
  meshTakeBack: { params: { id: '3' } },
  meshExpel: { params: { id: `0x${'b2'.repeat(20)}` } },
  meshPardon: { params: { id: `0x${'b2'.repeat(20)}` } },
  meshBan: { params: { id: `0x${'b2'.repeat(20)}` }, body: { reason: 'noisy' } },
  meshCarriageEnd: { params: { id: `0x${'b2'.repeat(20)}` }, body: { reason: 'noisy' } },
  meshCarriageReadmit: { params: { id: `0x${'b2'.repeat(20)}` } },
  meshCarriageWriteOff: { params: { id: `0x${'b2'.repeat(20)}` } },
  meshUnban: { params: { id: `0x${'b2'.repeat(20)}` } },
  meshJoin: { body: { do: 'begin', code: 'meshbox:x', name: 'Roofs', channel: 36, apply: false } },
  putIotDevice: { body: { devEui: '70b3d57ed0012345', name: 'field-3', joinEui: '0000000000000000', macVersion: '1.1', deviceClass: 'A', allowsCounterReset: false, isDisabled: false, expectedIntervalSeconds: 600, appKey: '5a'.repeat(16), nwkKey: '6b'.repeat(16) } },
  removeIotDevice: { params: { id: '70b3d57ed0012345' } },
  forgetIotNonces: { params: { id: '70b3d57ed0012345' } },
  iotReadings: { params: { id: '70b3d57ed0012345' }, query: { before: '9', limit: '10' } },
  iotSeries: { params: { id: '70b3d57ed0012345' }, query: { name: 'soil', from: '1800000000000', to: '1800000600000', points: '10' } },
  iotCsv: { params: { id: '70b3d57ed0012345' }, query: { from: '1800000000000', to: '1800000600000' } },
  iotQueue: { params: { id: '70b3d57ed0012345' } },
  iotSend: { params: { id: '70b3d57ed0012345' }, body: { fPort: 3, payload: '0a01', isConfirmed: true, expiresSeconds: 60 } },
  iotCancel: { params: { id: '3' } },
  iotFrames: { query: { limit: '10' } },
  iotDownlinks: { query: { limit: '10' } },
  putIotTenant: {
    body: { id: 'acme', name: 'Acme', payer: `0x${'5a'.repeat(20)}`, token: 'MIN', routes: ['dev-addr 26010000/16'], destination: 'broker', ca: null, clientCertificate: null, clientKey: null, perUnit: '0.001', perJoin: '0', perLateFrame: null, perDownlinkMs: ['* 0.001'], creditWindow: '1', maxCopies: 1 },
  },
  pauseIotTenant: { params: { id: 'acme' }, body: { isPaused: true } },
  endIotTenant: { params: { id: 'acme' } },
  putIotKeys: { params: { id: 'acme' }, body: { keys: [{ devAddr: '26011bda', nwkSKey: '5a'.repeat(16) }, { devAddr: '26011bdb', fNwkSIntKey: '5b'.repeat(16) }] } },
  forgetIotKeys: { params: { id: 'acme' } },
  catchUpIotTenant: { params: { id: 'acme' }, body: { receipt: null } },
  iotBill: { params: { id: 'acme' } },
  putIotRule: { body: { id: 'dry', name: 'Dry field', text: 'if soil of field-3 < 20 set pump-1 {"open":true}', isLive: false, isPaused: false } },
  tryIotRule: { body: { text: 'if soil of field-3 < 20 set pump-1 {"open":true}' } },
  removeIotRule: { params: { id: 'dry' } },
  putIotCodec: { body: { name: 'soil', source: 'function decodeUplink() {}' } },
  tryIotCodec: { params: { id: 'soil' }, body: { payload: '0102', fPort: 1 } },
  removeIotCodec: { params: { id: 'soil' } },
  addIotBrokerUser: { body: { name: 'phone' } },
  removeIotBrokerUser: { params: { id: 'phone' } },
  verifyReceipt: { body: { receipt: 'MeshBox receipt 1' } },
  revealWords: { body: { password: 'correct horse 9' } },
  revealVoucherWords: { body: { password: 'correct horse 9' } },
  backup: { body: { path: '/nowhere' } },
  voucherKeyAdopt: { body: { words: Array.from({ length: 12 }, () => 'legal'), replace: true } },
  setPassword: { body: { password: 'correct horse 9' } },
}

export interface FuzzRequest {
  readonly route: RouteName | null
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly payload?: string
  /** Set when the request is surely wrong: the field that the refusal must name. */
  readonly wrongField?: string
}

const NASTY: readonly unknown[] = [
  null, true, false, 0, -1, 1.5, 1e308, -1e308, 2 ** 53, '', ' ', 'x', '0', '-1', '1e3', 'NaN', '\u0000', 'a\nb', '\ud800', '\u202e', '../../etc/passwd', "' or 1=1 --", '<script>', '${7*7}', '%00',
  'x'.repeat(65), 'x'.repeat(5000), '9'.repeat(400), [], [[]], [null], {}, { a: 1 }, { toString: 1 }, { constructor: { prototype: 1 } }, Array.from({ length: 300 }, () => 1), 'ABCDE-FGHJK', '2026-13-45', '0x10', '１２',
]
const NASTY_NAMES = ['__proto__', 'constructor', 'extra', '', '$ref', 'a.b', 'a/b', 'x'.repeat(300), '\u0000', 'length']
const NASTY_PATHS = ['/', '//', '/../etc/passwd', '/%2e%2e/etc/passwd', '/%00', '/api', '/api/', '/api//status', '/api/sessions/%2f/kick', '/api/sessions/%ff/kick', '/api/sessions/a%20b', '/API/STATUS', '/api/status/', '/api/status;x=1', '/api/status%3fx', '/*', '/index.html%00.js', `/${'a'.repeat(3000)}`, '/api/vouchers/sheet?batch=', '/api/sessions?limit=1&limit=2', '/api/sessions?%zz', '/api/sessions?find=%', '/api/sessions?limit[]=1', '/metrics?x=1', '/healthz?x']
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND']
const TYPES = ['application/json', 'application/json; charset=utf-16', 'text/plain', 'text/xml', 'application/x-www-form-urlencoded', 'multipart/form-data', '', 'x', 'application/json, text/plain', 'application/octet-stream']
const PAYLOADS = ['', '{', '[]', 'null', '"x"', '1', '{}', '{"a":', '{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '\u0000\u0001', '{"a":1}{"b":2}', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, `{"password":"${'x'.repeat(70_000)}"}`, '{"password":1e999}', '\ufeff{}', '{"seconds":1,"seconds":"x"}']

export interface Dice {
  next(): number
}
const pick = <T>(dice: Dice, list: readonly T[]): T => list[Math.floor(dice.next() * list.length)] as T

export interface Pass {
  readonly cookie: string
  readonly csrf: string
}

/** One request; about half are surely wrong in one known place, the others are wrong anyhow. */
export function fuzzRequest(dice: Dice, routes: readonly RouteName[], pass: Pass | null): FuzzRequest {
  const headers: Record<string, string> = { host: '127.0.0.1:2090' }
  if (pass !== null) Object.assign(headers, { cookie: `${SESSION_COOKIE}=${pass.cookie}`, [CSRF_HEADER]: pass.csrf })
  const route = pick(dice, routes)
  const { method, path } = ROUTES[route]
  const good = GOOD[route] ?? {}
  const roll = dice.next()
  const build = (over: { params?: Record<string, string>; query?: Record<string, unknown>; body?: unknown; wrongField?: string }): FuzzRequest => {
    const params = over.params ?? good.params ?? {}
    const query = new URLSearchParams(Object.entries(over.query ?? {}).map(([name, value]): [string, string] => [name, typeof value === 'string' ? value : JSON.stringify(value)])).toString()
    const filled = path.replace(/:(\w+)/g, (_all, name: string) => encodeSafely(params[name] ?? ''))
    const body = 'body' in over ? over.body : good.body
    return {
      route,
      method,
      url: query === '' ? filled : `${filled}?${query}`,
      headers: method === 'GET' ? headers : { ...headers, 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { payload: JSON.stringify(body ?? {}) }),
      ...(over.wrongField === undefined ? {} : { wrongField: over.wrongField }),
    }
  }
  if (roll < 0.12) return build({ query: { ...good.query, extra_field: 'x' }, wrongField: 'extra_field' })
  if (roll < 0.24 && method !== 'GET') return build({ body: { ...good.body, extra_field: pick(dice, NASTY) }, wrongField: 'extra_field' })
  if (roll < 0.4 && good.body && method !== 'GET') {
    const name = pick(dice, Object.keys(good.body))
    const body = { ...good.body, [name]: wrongTypeFor(good.body[name], dice) }
    return build({ body, wrongField: name })
  }
  if (roll < 0.46 && good.query) {
    const name = pick(dice, Object.keys(good.query))
    return build({ query: { ...good.query, [name]: pick(dice, ['', 'a\u0000b', 'x'.repeat(70)]) }, wrongField: name })
  }
  if (roll < 0.5 && good.params) return build({ params: { id: pick(dice, ['a b', 'x'.repeat(65), '\u0000', 'é', '..%2f']) }, wrongField: 'id' })
  if (roll < 0.62) return build({ body: nastyBody(good.body, dice), query: nastyQuery(good.query, dice) })
  if (roll < 0.7) return { ...build({}), payload: pick(dice, PAYLOADS), headers: { ...headers, 'content-type': pick(dice, TYPES) } }
  if (roll < 0.78) return { route: null, method: pick(dice, METHODS), url: pick(dice, NASTY_PATHS), headers }
  if (roll < 0.84) return { ...build({}), method: pick(dice, METHODS) }
  if (roll < 0.92) return { ...build({}), headers: nastyHeaders(headers, dice) }
  return { ...build({ query: nastyQuery(good.query, dice), body: nastyBody(good.body, dice) }), headers: nastyHeaders(headers, dice) }
}

/** A value of another JSON type, so that it is wrong whatever the ranges are. */
function wrongTypeFor(value: unknown, dice: Dice): unknown {
  if (Array.isArray(value)) return pick(dice, ['x', 1, true, { a: 1 }])
  if (typeof value === 'string') return pick(dice, [1, true, [], {}, null])
  if (typeof value === 'boolean') return pick(dice, ['true', 1, [], {}, null])
  return pick(dice, value === null ? [true, [], {}] : ['1', true, [], {}]) // null may stand for a text
}

function nastyBody(good: Record<string, unknown> | undefined, dice: Dice): unknown {
  if (dice.next() < 0.2) return pick(dice, NASTY)
  const body: Record<string, unknown> = { ...good }
  for (let changes = 1 + Math.floor(dice.next() * 3); changes > 0; changes--) {
    const names = [...Object.keys(body), ...(dice.next() < 0.3 ? NASTY_NAMES : [])]
    const name = names.length === 0 ? 'x' : pick(dice, names)
    if (dice.next() < 0.2) delete body[name]
    else Object.defineProperty(body, name, { value: pick(dice, NASTY), enumerable: true, configurable: true, writable: true })
  }
  return body
}

function nastyQuery(good: Record<string, string> | undefined, dice: Dice): Record<string, unknown> {
  const query: Record<string, unknown> = { ...good }
  const name = dice.next() < 0.5 && good ? pick(dice, Object.keys(good)) : pick(dice, NASTY_NAMES)
  Object.defineProperty(query, name, { value: pick(dice, NASTY), enumerable: true, configurable: true })
  return query
}

function nastyHeaders(good: Record<string, string>, dice: Dice): Record<string, string> {
  const changes: readonly Record<string, string>[] = [
    { host: pick(dice, ['evil.example', '', '[', '127.0.0.1:99999999', 'a b', '\u00e9']) },
    { origin: pick(dice, ['http://evil.example', 'null', '', 'http://127.0.0.1:2090', 'file://']) },
    { cookie: pick(dice, ['', '=', ';;;;', `${SESSION_COOKIE}=`, `${SESSION_COOKIE}=${'A'.repeat(43)}`, `${SESSION_COOKIE}=${'x'.repeat(5000)}`, `a=b; ${SESSION_COOKIE}`]) },
    { [CSRF_HEADER]: pick(dice, ['', 'x', 'A'.repeat(43), '\u00e9']) },
    { 'sec-fetch-site': pick(dice, ['cross-site', 'same-site', 'same-origin', 'none', 'x']) },
    { [BACKGROUND_HEADER]: pick(dice, ['1', '0', 'x']) },
    { 'content-length': pick(dice, ['5', '0']) },
    { authorization: pick(dice, ['Bearer', 'Bearer x', 'Basic eDp4']) },
    { 'if-none-match': pick(dice, ['*', '"', ',,,']) },
    { 'content-type': pick(dice, TYPES) },
  ]
  return { ...good, ...pick(dice, changes), ...pick(dice, changes) }
}

function encodeSafely(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    return '%EF%BF%BD' // half a character has no URL form
  }
}
