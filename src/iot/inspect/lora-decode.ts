/** `meshbox tool lora decode`: a frame taken apart, judged with the keys that were given, as one JSON document. */
import { fromUtf8, inputError, toHex } from '../../base/index.ts'
import { AesKey, MAX_FCNT, MAX_PHY_BYTES, decodeFrame, devAddrText, isJoinRequestBy, isMicRight, joinServerKeys, openData, openJoinAccept, readDownCommands, readUpCommands, sessionKeys10, sessionKeys11, timeOnAirUs } from '../lorawan/index.ts'
import type { Circumstances, DataFrame, Join11, JoinAccept, SessionCiphers } from '../lorawan/index.ts'
import type { Modulation, SessionKeys } from '../ports.ts'
import { phyOf } from './given.ts'
import type { Given } from './given.ts'
import { hasNetworkKey, sessionOf } from './lora-keys.ts'

export type LoraAnswer = Readonly<Record<string, unknown>> & { readonly ok: boolean }

const LORA_RATES = ['SF7BW125', 'SF8BW125', 'SF9BW125', 'SF10BW125', 'SF11BW125', 'SF12BW125']
const ROUND = 0x1_0000

/** Fields of `given`: phy, keys, fCnt, confFCnt, dataRate, channel, appKey, nwkKey, joinEui, devEui, devNonce, datr. Errors: input. */
export function inspectFrame(given: Given): LoraAnswer {
  const text = given.raw('phy')
  if (typeof text !== 'string') throw inputError('phy', text ?? null, 'hex or base64')
  const phy = phyOf(text)
  const frame = decodeFrame(phy)
  const air = { bytes: phy.length, timeOnAirUs: airTimes(given, phy) }
  switch (frame.type) {
    case 'data':
      return { ...inspectData(given, phy, frame), ...air }
    case 'join-request': {
      const key = given.key('appKey') ?? given.key('nwkKey')
      given.nothingElse()
      return judged(key === null ? null : isJoinRequestBy(new AesKey(key), phy), { type: frame.type, joinEui: frame.joinEui, devEui: frame.devEui, devNonce: frame.devNonce, mic: toHex(frame.mic), ...air })
    }
    case 'join-accept':
      return { ...inspectAccept(given, phy), ...air }
    case 'rejoin-request': {
      const key = given.key('nwkKey')
      given.nothingElse()
      return judged(key === null ? null : isJoinRequestBy(new AesKey(key), phy), { ...frame, netId: frame.netId === null ? null : hex24(frame.netId), mic: toHex(frame.mic), ...air })
    }
    case 'proprietary':
      given.nothingElse()
      return { ok: true, type: frame.type, body: toHex(frame.body), ...air }
  }
}

function inspectData(given: Given, phy: Uint8Array, frame: DataFrame): LoraAnswer {
  const { session, hasAppSKey, is11 } = sessionOf(given)
  const judges = session !== null && hasNetworkKey(given)
  const around: Circumstances = { confFCnt: given.whole('confFCnt', 0xffff, 0), dataRate: given.whole('dataRate', 15, 0), channel: given.whole('channel', 255, 0) }
  const asked = given.has('fCnt') ? given.whole('fCnt', MAX_FCNT) : null
  given.nothingElse()
  if (asked !== null && asked % ROUND !== frame.fCnt16) throw inputError('fCnt', asked, `a counter that ends in ${frame.fCnt16}, which is in the frame`)
  const found = asked ?? (judges ? findCounter(session, phy, frame, around) : null)
  const fCnt = found ?? frame.fCnt16
  const isRight = judges ? isMicRight(session, phy, frame.direction, fCnt, around) : null
  const clear = session === null ? null : openData(session, frame, fCnt)
  const isReadable = frame.fPort === 0 ? judges : hasAppSKey
  const payload = clear !== null && isReadable && frame.fPort !== null ? clear.payload : null
  const readMac = frame.direction === 'up' ? readUpCommands : readDownCommands
  const macBytes = frame.fPort === 0 ? payload : is11 ? (judges ? (clear?.fOpts ?? null) : null) : frame.fOpts
  const mac = macBytes === null ? null : readMac(macBytes)
  return judged(isRight, {
    type: frame.type,
    mType: `${frame.isConfirmed ? 'Confirmed' : 'Unconfirmed'}Data${frame.direction === 'up' ? 'Up' : 'Down'}`,
    direction: frame.direction,
    devAddr: devAddrText(frame.devAddr),
    adr: frame.adr,
    ...(frame.direction === 'up' ? { adrAckReq: frame.adrAckReq } : {}),
    ack: frame.ack,
    [frame.direction === 'up' ? 'classB' : 'fPending']: frame.bit4,
    fCnt,
    fCnt16: frame.fCnt16,
    fOpts: toHex(frame.fOpts),
    macCommands: mac === null ? null : mac.commands,
    macUnread: mac === null ? null : toHex(mac.unread),
    fPort: frame.fPort,
    frmPayload: toHex(frame.frmPayload),
    payload: payload === null ? null : toHex(payload),
    payloadText: payload === null || payload.length === 0 ? null : readable(payload),
    mic: toHex(frame.mic),
  })
}

/** The upper half of the counter is not in the frame: the lowest with which the code is right. */
function findCounter(session: SessionCiphers, phy: Uint8Array, frame: DataFrame, around: Circumstances): number | null {
  for (let high = 0; high < ROUND; high++) if (isMicRight(session, phy, frame.direction, high * ROUND + frame.fCnt16, around)) return high * ROUND + frame.fCnt16
  return null
}

function inspectAccept(given: Given, phy: Uint8Array): LoraAnswer {
  const [nwkKey, appKey] = [given.key('nwkKey'), given.key('appKey')]
  const devEui = given.has('devEui') ? given.eui('devEui') : null
  const devNonce = given.has('devNonce') ? given.whole('devNonce', 0xffff) : null
  const joinEui = given.has('joinEui') ? given.eui('joinEui') : null
  given.nothingElse()
  const root = nwkKey ?? appKey
  if (root === null) return { ok: true, type: 'join-accept', sealed: toHex(phy.subarray(1)), micOk: null }
  const version: Join11 | null = nwkKey === null || devEui === null || joinEui === null || devNonce === null ? null : { jsIntKey: joinServerKeys(nwkKey, devEui).int, requestType: 0xff, joinEui, devNonce }
  const { accept, isMicRight: right, open } = openJoinAccept(new AesKey(root), phy, version)
  const canJudge = !accept.optNeg || version !== null
  return judged(canJudge ? right : null, { type: 'join-accept', ...acceptView(accept), open: toHex(open), mic: toHex(open.subarray(-4)), keys: acceptKeys(accept, root, appKey, devNonce, joinEui) })
}

function acceptKeys(accept: JoinAccept, root: Uint8Array, appKey: Uint8Array | null, devNonce: number | null, joinEui: string | null): object | null {
  if (devNonce === null) return null
  if (!accept.optNeg) return keysView(sessionKeys10(root, { ...accept, devNonce }), false)
  return joinEui === null || appKey === null ? null : keysView(sessionKeys11(root, appKey, { joinNonce: accept.joinNonce, devNonce, joinEui }), true)
}

export function acceptView(accept: JoinAccept): object {
  const { cfList, netId, devAddr, ...rest } = accept
  return { ...rest, netId: hex24(netId), devAddr: devAddrText(devAddr), cfList: cfList === null ? null : cfList.kind === 'unknown' ? { kind: cfList.kind, bytes: toHex(cfList.bytes) } : cfList }
}

export function keysView(keys: SessionKeys, is11: boolean): object {
  if (!is11) return { nwkSKey: toHex(keys.nwkSEncKey), appSKey: toHex(keys.appSKey) }
  return { fNwkSIntKey: toHex(keys.fNwkSIntKey), sNwkSIntKey: toHex(keys.sNwkSIntKey), nwkSEncKey: toHex(keys.nwkSEncKey), appSKey: toHex(keys.appSKey) }
}

/** Not ok when a code that could be judged is wrong. */
export function judged(micOk: boolean | null, fields: object): LoraAnswer {
  return { ok: micOk !== false, ...fields, micOk }
}

/** `datr` as forwarders write it, `SF9BW125`; without it all six of 125 kHz. Downward there is no CRC. */
function airTimes(given: Given, phy: Uint8Array): Readonly<Record<string, number>> {
  const one = given.raw('datr') ?? null
  if (one !== null && (typeof one !== 'string' || !/^SF\d{1,2}BW\d{2,4}$/.test(one))) throw inputError('datr', one, 'as SF7BW125')
  if (phy.length > MAX_PHY_BYTES) return {}
  const mType = (phy[0] ?? 0) >> 5
  const isDown = mType === 1 || mType === 3 || mType === 5
  const rates = one === null ? LORA_RATES : [one as string]
  return Object.fromEntries(rates.map((rate) => [rate, timeOnAirUs(rateOf(rate), phy.length, { hasCrc: !isDown })]))
}

function rateOf(datr: string): Modulation {
  const [, factor = '', kilohertz = ''] = /^SF(\d+)BW(\d+)$/.exec(datr) ?? []
  return { kind: 'lora', spreadingFactor: Number(factor), bandwidthHz: Number(kilohertz) * 1_000, codingRate: '4/5' }
}

function readable(bytes: Uint8Array): string | null {
  if (bytes.some((byte) => (byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) || byte === 0x7f)) return null
  try {
    return fromUtf8(bytes)
  } catch {
    return null // bytes that are no text are nothing unusual
  }
}

function hex24(value: number): string {
  return value.toString(16).padStart(6, '0')
}
