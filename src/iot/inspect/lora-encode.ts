/** `meshbox tool lora encode` and `join`: frames from JSON, and what both sides of a join come to. */
import { inputError, toHex } from '../../base/index.ts'
import {
  AesKey,
  MAX_FCNT,
  MAX_FOPTS_BYTES,
  MAX_FRM_PAYLOAD_BYTES,
  MAX_PHY_BYTES,
  decodeFrame,
  encodeFrame,
  isJoinRequestBy,
  joinServerKeys,
  makeJoinRequest,
  sealData,
  sealJoinAccept,
  sessionKeys10,
  sessionKeys11,
  writeDownCommands,
  writeUpCommands,
} from '../lorawan/index.ts'
import type { CfList, DownCommand, JoinAccept, UpCommand } from '../lorawan/index.ts'
import { Given, phyOf } from './given.ts'
import { acceptView, judged, keysView } from './lora-decode.ts'
import type { LoraAnswer } from './lora-decode.ts'
import { hasNetworkKey, sessionOf } from './lora-keys.ts'

const MTYPES = ['UnconfirmedDataUp', 'UnconfirmedDataDown', 'ConfirmedDataUp', 'ConfirmedDataDown'] as const
const MAX_COMMANDS = 64

/**
 * `type` data: mType, devAddr, fCnt, fPort, payload, fOpts or macCommands, adr, adrAckReq, ack, classB, fPending, confFCnt, dataRate, channel,
 * keys. join-request: joinEui, devEui, devNonce, appKey or nwkKey. proprietary: body. Errors: input.
 */
export function makeFrame(given: Given): LoraAnswer {
  const phy = frameOf(given)
  given.nothingElse()
  return { ok: true, phy: toHex(phy), base64: Buffer.from(phy).toString('base64'), bytes: phy.length }
}

function frameOf(given: Given): Uint8Array {
  switch (given.oneOf('type', ['data', 'join-request', 'proprietary'])) {
    case 'data':
      return dataOf(given)
    case 'join-request':
      return makeJoinRequest(new AesKey(given.key('nwkKey') ?? given.neededKey('appKey')), { joinEui: given.eui('joinEui'), devEui: given.eui('devEui'), devNonce: given.whole('devNonce', 0xffff) })
    case 'proprietary':
      return encodeFrame({ type: 'proprietary', body: given.bytes('body', MAX_PHY_BYTES - 1) })
  }
}

function dataOf(given: Given): Uint8Array {
  const mType = given.oneOf('mType', MTYPES)
  const direction = mType.endsWith('Up') ? 'up' : 'down'
  const { session, hasAppSKey } = sessionOf(given)
  if (session === null || !hasNetworkKey(given)) throw inputError('nwkSKey', null, '32 hex digits: the frame is signed with it')
  const fPort = given.has('fPort') ? given.whole('fPort', 255) : null
  const mac = macOf(given, direction)
  const payload = given.bytes('payload', MAX_FRM_PAYLOAD_BYTES)
  if (fPort !== null && fPort > 0 && payload.length > 0 && !hasAppSKey) throw inputError('appSKey', null, '32 hex digits: the payload is encrypted with it')
  if (fPort === 0 && mac.length > 0 && payload.length > 0) throw inputError('payload', 'beside macCommands', 'one of both on port 0')
  return sealData(
    session,
    {
      direction,
      isConfirmed: mType.startsWith('Confirmed'),
      devAddr: given.hexNumber('devAddr', 8),
      adr: given.flag('adr'),
      adrAckReq: given.flag('adrAckReq'),
      ack: given.flag('ack'),
      bit4: direction === 'up' ? given.flag('classB') : given.flag('fPending'),
      fCnt32: given.whole('fCnt', MAX_FCNT),
      fOpts: fPort === 0 ? new Uint8Array() : mac,
      fPort,
      frmPayload: fPort === 0 && mac.length > 0 ? mac : payload,
    },
    { confFCnt: given.whole('confFCnt', 0xffff, 0), dataRate: given.whole('dataRate', 15, 0), channel: given.whole('channel', 255, 0) },
  )
}

/** In FOpts; on port 0 they are the payload. */
function macOf(given: Given, direction: 'up' | 'down'): Uint8Array {
  const fOpts = given.bytes('fOpts', MAX_FOPTS_BYTES)
  const commands = given.raw('macCommands')
  if (commands === undefined || commands === null) return fOpts
  if (fOpts.length > 0) throw inputError('fOpts', toHex(fOpts), 'fOpts or macCommands, not both')
  if (!Array.isArray(commands) || commands.length > MAX_COMMANDS || !commands.every((one) => typeof one === 'object' && one !== null && typeof (one as { name?: unknown }).name === 'string'))
    throw inputError('macCommands', commands, `a list of at most ${MAX_COMMANDS} objects with a name`)
  return direction === 'up' ? writeUpCommands(commands as UpCommand[]) : writeDownCommands(commands as DownCommand[])
}

/**
 * A join from the network's side: request (hex), appKey (1.1: nwkKey and appKey), joinNonce, netId and devAddr (hex), rxDelay, rx1DrOffset,
 * rx2DataRate, cfList (Hz) or channelMasks. Prints the verdict on the request, the accept, and both sides' keys. Errors: input.
 */
export function answerJoin(given: Given): LoraAnswer {
  const text = given.raw('request')
  if (typeof text !== 'string') throw inputError('request', text ?? null, 'a join request in hex or base64')
  const phy = phyOf(text)
  const request = decodeFrame(phy)
  if (request.type !== 'join-request') throw inputError('request', request.type, 'a join request')
  const nwkKey = given.key('nwkKey')
  const is11 = nwkKey !== null
  const appKey = given.neededKey('appKey')
  const root = nwkKey ?? appKey
  const accept: JoinAccept = {
    joinNonce: given.whole('joinNonce', 0xff_ffff),
    netId: given.hexNumber('netId', 6),
    devAddr: given.hexNumber('devAddr', 8),
    optNeg: is11,
    rx1DrOffset: given.whole('rx1DrOffset', 7, 0),
    rx2DataRate: given.whole('rx2DataRate', 15, 0),
    rxDelaySeconds: given.whole('rxDelay', 15, 1),
    cfList: cfListOf(given),
  }
  given.nothingElse()
  const isRight = isJoinRequestBy(new AesKey(root), phy)
  const shown = { joinEui: request.joinEui, devEui: request.devEui, devNonce: request.devNonce }
  if (!isRight) return judged(false, shown) // nobody gets an answer to a request he did not sign
  const version = is11 ? { jsIntKey: joinServerKeys(root, request.devEui).int, requestType: 0xff, joinEui: request.joinEui, devNonce: request.devNonce } : null
  const sealed = sealJoinAccept(new AesKey(root), accept, version)
  const keys = is11 ? sessionKeys11(root, appKey, { joinNonce: accept.joinNonce, devNonce: request.devNonce, joinEui: request.joinEui }) : sessionKeys10(root, { ...accept, devNonce: request.devNonce })
  return judged(true, { ...shown, accept: { phy: toHex(sealed), base64: Buffer.from(sealed).toString('base64'), ...acceptView(accept) }, keys: keysView(keys, is11) })
}

function cfListOf(given: Given): CfList | null {
  const [frequenciesHz, masks] = [given.wholes('cfList'), given.wholes('channelMasks')]
  if (frequenciesHz.length > 0 && masks.length > 0) throw inputError('channelMasks', masks, 'cfList or channelMasks, not both')
  if (frequenciesHz.length > 0) return { kind: 'frequencies', frequenciesHz }
  return masks.length > 0 ? { kind: 'masks', masks } : null
}
