/**
 * Rejoin requests of LoRaWAN 1.1 (L2 1.1, 6.2.4). Each that is right is answered by an accept that offers a session; the one in use goes on until
 * the device has spoken under the new one.
 *
 *   0   NetID, DevEUI, RJcount0   code by SNwkSIntKey of the session in use      everything anew
 *   1   JoinEUI, DevEUI, RJcount1 code by JSIntKey, so also without a session    everything anew
 *   2   as 0                                                                     new address, keys and counters; the radio stays as it is
 *
 * RJcount stands where a join has DevNonce. It only rises: RJcount0 within a session, RJcount1 for ever.
 */
import { momentOf } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import { AesKey, isJoinRequestBy, joinServerKeys, sessionKeys11 } from '../lorawan/index.ts'
import type { RejoinRequest } from '../lorawan/index.ts'
import type { Heard, Verdict } from '../ports.ts'
import { joinWindows } from './answer.ts'
import type { OpenWindow } from './answer.ts'
import { ACCEPT_WITH_LIST_BYTES, Refused, accept11, admitted, answeringCopy, bestCopy, isShortEnough, newAddress, newJoinNonce, refuse } from './joins.ts'
import type { Admitted } from './joins.ts'
import { ciphersOf } from './room.ts'
import type { Room } from './room.ts'
import type { KeylessDevice } from './rows.ts'
import { joinedSession, rekeyedSession } from './session.ts'
import type { NetworkSession } from './session.ts'

/** `unknown`: no such device here; it may be a tenant's. */
export async function takeRejoin(room: Room, heard: Heard, request: RejoinRequest, dataRate: number): Promise<Verdict> {
  const { store, rows, plan } = room
  const { devEui, rejoinType } = request
  const found = store.read((tx) => {
    const session = rows.session(tx, devEui)
    return { device: rows.device(tx, devEui), nwkKey: rows.rootKey(tx, devEui), session, ciphers: session === null ? null : ciphersOf(room, tx, session) }
  })
  const { device, nwkKey, session } = found
  if (device === null) return { kind: 'unknown' }
  const named = { devEui, joinEui: request.joinEui ?? device.joinEui }
  const why = refusal(room, device, request, session)
  if (why !== null || nwkKey === null) return refuse(room, named, why ?? 'registered without a NwkKey')
  const serving = rejoinType === 1 ? new AesKey(joinServerKeys(nwkKey, devEui).int, 'js-int-key') : found.ciphers?.sNwkSInt
  if (serving === undefined || !isJoinRequestBy(serving, heard.phy)) return refuse(room, named, `MIC wrong: a rejoin of type ${rejoinType} under ${rejoinType === 1 ? 'another NwkKey than the one registered' : 'other keys than those of its session'}`)
  // The device has its session's windows still; one that starts again has the region's.
  const up = { frequencyHz: heard.frequencyHz, dataRate, copy: answeringCopy(room, heard) }
  const windows = joinWindows(plan, up, rejoinType === 1 ? null : session)
  return admitted(room, heard, named, windows, (tx) => readmit(room, tx, heard, request, dataRate, session?.number ?? null, nwkKey, windows))
}

function refusal(room: Room, device: KeylessDevice, request: RejoinRequest, session: NetworkSession | null): string | null {
  if (device.isDisabled) return 'disabled by the owner'
  if (device.activation === 'abp') return 'registered as ABP: it has its session already, and may not rejoin'
  if (device.macVersion !== '1.1') return `a rejoin request is LoRaWAN 1.1, and ${device.macVersion} is registered`
  if (request.rejoinType === 1) return device.joinEui === request.joinEui ? null : `JoinEUI ${request.joinEui ?? ''}, where ${device.joinEui} is registered`
  if (session?.is11 !== true) return `a rejoin of type ${request.rejoinType} without a session of 1.1`
  if (request.netId !== room.plan.netId) return `a rejoin of a session in NetID ${(request.netId ?? 0).toString(16).padStart(6, '0')}, and this network has another`
  return null
}

function readmit(room: Room, tx: Tx, heard: Heard, request: RejoinRequest, dataRate: number, seen: number | null, nwkKey: Uint8Array, windows: readonly OpenWindow[]): Admitted {
  const { rows, plan } = room
  const { devEui, rejoinType, rejoinCount } = request
  const device = rows.device(tx, devEui)
  const session = rows.session(tx, devEui)
  const why = device === null ? 'removed meanwhile' : refusal(room, device, request, session)
  const appKey = rows.appKey(tx, devEui)
  if (device === null || appKey === null || why !== null) throw new Refused(why ?? 'registered as 1.1 without an AppKey')
  if (rejoinType !== 1 && session?.number !== seen) throw new Refused('the session ended while the request was looked at')
  if (!rows.useRejoinCount(tx, devEui, rejoinType === 1 ? null : seen, rejoinCount)) throw new Refused(`RJcount${rejoinType === 1 ? 1 : 0} ${rejoinCount} is not greater than the last: a repetition, or the device lost count`)
  const joinNonce = newJoinNonce(room, tx, devEui)
  const devAddr = newAddress(room, tx)
  const hasCfList = rejoinType !== 2 && plan.cfList !== null && windows.every((window) => isShortEnough(plan, window, ACCEPT_WITH_LIST_BYTES))
  const at = { number: rows.nextNumber(tx, devEui), devAddr, dataRate, at: momentOf(room.clock), gateway: bestCopy(heard).gateway, hasCfList }
  const offered = rejoinType === 2 && session !== null ? rekeyedSession(session, at) : joinedSession(plan, device, at)
  rows.offerSession(tx, offered, sessionKeys11(nwkKey, appKey, { joinNonce, joinEui: device.joinEui, devNonce: rejoinCount }))
  const { rx1DrOffset, rx2DataRate, rxDelaySeconds } = offered
  const accept = { devAddr, rx1DrOffset, rx2DataRate, rxDelaySeconds, cfList: hasCfList ? plan.cfList : null, joinNonce, requestType: rejoinType, nonce: rejoinCount }
  return { devAddr, phy: accept11(plan, device, nwkKey, new AesKey(joinServerKeys(nwkKey, devEui).enc, 'js-enc-key'), accept), changed: [] }
}
