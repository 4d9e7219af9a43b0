/** IoT: devices and what they measured, concentrators, tenants, rules, codecs, names on the broker. */
import { NOTHING, flag, integer, json, line, list, number, object, oneOf, orNull, text } from '../../request-schema.ts'
import type { RequestSchema, Schema } from '../../request-schema.ts'
import { numberOf, price, queryNumber } from '../fields.ts'
import type { Handler } from '../routes.ts'
import type { IOT_ROUTES } from '../../api/iot-routes.ts'
import { address } from './chain.ts'

type IotRoute = keyof typeof IOT_ROUTES
type Params = { readonly params: Readonly<Record<string, string>> }

const MAX_PAGE = 500
const MAX_LIVE = 200
const MAX_POINTS = 1000
/** With the quotes and escapes of JSON it must fit into a request. */
const MAX_SOURCE = 48 * 1024
const MAX_DATA = 8 * 1024
const MAX_RECEIPT = 16 * 1024
const MIN_PEM = 64
const MAX_PEM = 16 * 1024
const FIRST_WALL = 0
const LAST_WALL = 7_258_118_399_999
const hexOf = (bytes: number, what: string): Schema => text(2 * bytes, 2 * bytes, /^[0-9a-fA-F]+$/, `${what}, ${2 * bytes} hex digits`)
const eui = text(16, 16, /^[0-9a-f]{16}$/, '16 lower-case hex digits')
const key = hexOf(16, 'a key')
const devAddr = hexOf(4, 'a device address')
const payload = text(0, 484, /^([0-9a-fA-F]{2})*$/, 'hex digits, two for a byte')
const counter = integer(0, 0xffff_ffff)
const pem = orNull(text(MIN_PEM, MAX_PEM))
const word = text(1, 32, /^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and -')
const DEVICE = object({ id: eui }, ['id'])
const WORD = object({ id: word }, ['id'])
const ASK: RequestSchema = { query: NOTHING }
const ORDER: RequestSchema = { params: WORD, query: NOTHING, body: NOTHING }
const DEVICE_ORDER: RequestSchema = { params: DEVICE, query: NOTHING, body: NOTHING }
const LIMITED: RequestSchema = { query: object({ limit: queryNumber }) }
const idOf = ({ params }: Params): string => params['id'] ?? ''
const given = <K extends string>(name: K, value: number | undefined): { readonly [P in K]?: number } => (value === undefined ? {} : ({ [name]: value } as { readonly [P in K]?: number }))
const live = (query: Readonly<Record<string, string>>): { readonly limit?: number } => given('limit', numberOf(query, 'limit', 1, MAX_LIVE))
const wall = (query: Readonly<Record<string, string>>, name: 'from' | 'to'): number | undefined => numberOf(query, name, FIRST_WALL, LAST_WALL)

export const iotRoutes: { [N in IotRoute]: Handler<N> } = {
  iot: { schema: ASK, run: ({ iot }) => iot.status() },
  iotGateways: { schema: ASK, run: ({ iot }) => iot.gateways() },
  iotDevices: { schema: ASK, run: ({ iot }) => iot.devices() },
  putIotDevice: {
    schema: {
      query: NOTHING,
      body: object(
        {
          devEui: eui,
          name: line(64),
          joinEui: eui,
          macVersion: oneOf('1.0.2', '1.0.3', '1.0.4', '1.1'),
          deviceClass: oneOf('A', 'C'),
          codec: orNull(word),
          allowsCounterReset: flag,
          isDisabled: flag,
          expectedIntervalSeconds: orNull(number(1, 31_536_000)),
          appKey: key,
          nwkKey: key,
          abp: object({ devAddr, nwkSKey: key, sNwkSIntKey: key, nwkSEncKey: key, appSKey: key, fCntUp: counter, fCntDown: counter, aFCntDown: counter }, ['devAddr', 'nwkSKey', 'appSKey']),
        },
        ['devEui', 'name'],
      ),
    },
    run: ({ iot }, { body }) => iot.putDevice(body),
  },
  removeIotDevice: { schema: DEVICE_ORDER, run: ({ iot }, call) => iot.removeDevice(idOf(call)) },
  forgetIotNonces: { schema: DEVICE_ORDER, run: ({ iot }, call) => iot.forgetDevNonces(idOf(call)) },
  iotReadings: {
    schema: { params: DEVICE, query: object({ before: queryNumber, limit: queryNumber }) },
    run: ({ iot }, call) => iot.readings(idOf(call), { ...given('before', numberOf(call.query, 'before', 1, Number.MAX_SAFE_INTEGER)), ...given('limit', numberOf(call.query, 'limit', 1, MAX_PAGE)) }),
  },
  iotSeries: {
    schema: { params: DEVICE, query: object({ name: text(1, 64, /^[A-Za-z0-9_]+$/, 'letters, digits and _'), from: queryNumber, to: queryNumber, points: queryNumber }, ['name', 'from', 'to']) },
    run: ({ iot }, call) => {
      const { query } = call
      return iot.series(idOf(call), { name: query['name'] ?? '', from: wall(query, 'from') ?? 0, to: wall(query, 'to') ?? 0, ...given('points', numberOf(query, 'points', 1, MAX_POINTS)) })
    },
  },
  iotCsv: {
    schema: { params: DEVICE, query: object({ from: queryNumber, to: queryNumber }) },
    run: ({ iot }, call) => iot.csv(idOf(call), { ...given('from', wall(call.query, 'from')), ...given('to', wall(call.query, 'to')) }),
    type: 'text/csv; charset=utf-8',
    saveAs: (call) => `readings-${idOf(call)}.csv`,
  },
  iotQueue: { schema: { params: DEVICE, query: NOTHING }, run: ({ iot }, call) => iot.queue(idOf(call)) },
  iotSend: {
    schema: { params: DEVICE, query: NOTHING, body: object({ data: json(MAX_DATA), fPort: integer(1, 223), payload, isConfirmed: flag, expiresSeconds: integer(1, 31_536_000) }) },
    run: ({ iot }, call) => iot.send(idOf(call), call.body),
  },
  iotCancel: { schema: { params: object({ id: queryNumber }, ['id']), query: NOTHING, body: NOTHING }, run: ({ iot }, call) => iot.cancel(Number(idOf(call))) },
  iotFrames: { schema: LIMITED, run: ({ iot }, { query }) => iot.frames(live(query)) },
  iotDownlinks: { schema: LIMITED, run: ({ iot }, { query }) => iot.downlinks(live(query)) },
  iotTenants: { schema: ASK, run: ({ iot }) => iot.tenants() },
  putIotTenant: {
    schema: {
      query: NOTHING,
      body: object(
        {
          id: word,
          name: line(64),
          payer: address,
          token: text(1, 42, /^[\x21-\x7e]+$/, "a token's address or symbol"),
          routes: list(line(64), 256),
          destination: line(640),
          ca: pem,
          clientCertificate: pem,
          clientKey: pem,
          perUnit: price,
          perJoin: price,
          perLateFrame: orNull(price),
          perDownlinkMs: list(line(100), 32),
          creditWindow: price,
          maxCopies: integer(1, 16),
        },
        ['id', 'name', 'payer', 'routes', 'destination', 'perUnit'],
      ),
    },
    run: ({ iot }, { body }) => iot.putTenant(body),
  },
  pauseIotTenant: { schema: { params: WORD, query: NOTHING, body: object({ isPaused: flag }, ['isPaused']) }, run: ({ iot }, call) => iot.pauseTenant(idOf(call), call.body) },
  endIotTenant: { schema: ORDER, run: ({ iot }, call) => iot.endTenant(idOf(call)) },
  putIotKeys: {
    schema: { params: WORD, query: NOTHING, body: object({ keys: list(object({ devAddr, nwkSKey: key, fNwkSIntKey: key }, ['devAddr']), 500, 1) }, ['keys']) },
    run: ({ iot }, call) => iot.putKeys(idOf(call), call.body),
  },
  forgetIotKeys: { schema: ORDER, run: ({ iot }, call) => iot.forgetKeys(idOf(call)) },
  catchUpIotTenant: { schema: { params: WORD, query: NOTHING, body: object({ receipt: orNull(text(2, MAX_RECEIPT)) }, ['receipt']) }, run: ({ iot }, call) => iot.catchUp(idOf(call), call.body) },
  iotBill: { schema: { params: WORD, query: NOTHING }, run: ({ iot }, call) => iot.bill(idOf(call)), type: 'text/plain; charset=utf-8', saveAs: (call) => `bill-${idOf(call)}.json` },
  iotRules: { schema: ASK, run: ({ iot }) => iot.rules() },
  putIotRule: {
    schema: { query: NOTHING, body: object({ id: word, name: line(80), text: line(2000), isLive: flag, isPaused: flag }, ['id', 'name', 'text', 'isLive', 'isPaused']) },
    run: ({ iot }, { body }) => iot.putRule(body),
  },
  removeIotRule: { schema: ORDER, run: ({ iot }, call) => iot.removeRule(idOf(call)) },
  tryIotRule: { schema: { query: NOTHING, body: object({ text: line(2000) }, ['text']) }, run: ({ iot }, { body }) => iot.tryRule(body) },
  iotCodecs: { schema: ASK, run: ({ iot }) => iot.codecs() },
  putIotCodec: { schema: { query: NOTHING, body: object({ name: word, source: text(1, MAX_SOURCE) }, ['name', 'source']) }, run: ({ iot }, { body }) => iot.putCodec(body) },
  tryIotCodec: { schema: { params: WORD, query: NOTHING, body: object({ payload, fPort: integer(1, 223) }, ['payload', 'fPort']) }, run: ({ iot }, call) => iot.tryCodec(idOf(call), call.body) },
  removeIotCodec: { schema: ORDER, run: ({ iot }, call) => iot.removeCodec(idOf(call)) },
  iotBrokerUsers: { schema: ASK, run: ({ iot }) => iot.brokerUsers() },
  addIotBrokerUser: { schema: { query: NOTHING, body: object({ name: word, tenant: orNull(word) }, ['name']) }, run: ({ iot }, { body }) => iot.addBrokerUser(body) },
  removeIotBrokerUser: { schema: ORDER, run: ({ iot }, call) => iot.removeBrokerUser(idOf(call)) },
}
