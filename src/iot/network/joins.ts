/**
 * The join server: who may join, and the accept. DevNonce, JoinNonce and the new session are one turn; the accept goes to the desk after
 * it. LoRaWAN L2 1.0.4, 6.2; 1.1, 6.2; the rule for the nonce is that of the device's version.
 *
 * 1.0: the session before is over with the request. 1.1: it goes on until the device has spoken under the new one, with RekeyInd.
 */
import { inputError, momentOf } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import { AesKey, devAddrIn, isJoinRequestBy, joinServerKeys, prefixOfNetId, sealJoinAccept, sessionKeys10, sessionKeys11, timeOnAirUs } from '../lorawan/index.ts'
import type { CfList, JoinRequest } from '../lorawan/index.ts'
import type { DevAddr, Eui, Heard, JoinEvent, QueueItem, Verdict } from '../ports.ts'
import { joinWindows } from './answer.ts'
import type { OpenWindow } from './answer.ts'
import type { NetworkPlan } from './plan.ts'
import { queueAfterJoin } from './queue.ts'
import type { Room } from './room.ts'
import type { KeylessDevice } from './rows.ts'
import { joinedSession } from './session.ts'

const ACCEPT_BYTES = 17
export const ACCEPT_WITH_LIST_BYTES = 33
const JOIN_PRIORITY = 255
const ADDRESS_TRIES = 64

/** Of a join request, where an accept of 1.1 says what it answers. */
const BY_JOIN = 0xff

/** Said instead of stored: the turn leaves nothing behind. */
export class Refused extends Error {}

export interface Admitted {
  readonly devAddr: DevAddr
  readonly phy: Uint8Array
  readonly changed: readonly QueueItem[]
}

/** `unknown`: no such device here; it may be a tenant's. */
export async function takeJoin(room: Room, heard: Heard, request: JoinRequest, dataRate: number): Promise<Verdict> {
  const { store, rows } = room
  const found = store.read((tx) => ({ device: rows.device(tx, request.devEui), key: rows.rootKey(tx, request.devEui), appKey: rows.appKey(tx, request.devEui) }))
  if (found.device === null) return { kind: 'unknown' }
  const why = refusal(found.device, request)
  if (why !== null) return refuse(room, request, why)
  const root = found.key === null ? null : new AesKey(found.key, 'app-key')
  if (root === null || !isJoinRequestBy(root, heard.phy)) return refuse(room, request, `MIC wrong: the device has another ${found.device.macVersion === '1.1' ? 'NwkKey' : 'AppKey'} than the one registered`)
  const windows = joinWindows(room.plan, { frequencyHz: heard.frequencyHz, dataRate, copy: answeringCopy(room, heard) })
  const keys = { rootKey: found.key ?? new Uint8Array(0), appKey: found.appKey }
  return admitted(room, heard, { devEui: request.devEui, joinEui: request.joinEui }, windows, (tx) => admit(room, tx, heard, request, dataRate, root, keys, windows))
}

/** In one turn `admit`, then the accept. */
export async function admitted(room: Room, heard: Heard, request: Pick<JoinRequest, 'devEui' | 'joinEui'>, windows: readonly OpenWindow[], admit: (tx: Tx) => Admitted): Promise<Verdict> {
  const isCopy = (): boolean => room.joinedBy.get(request.devEui) === heard.id
  if (isCopy()) return { kind: 'repeated', devEui: request.devEui }
  try {
    const joined = await room.store.turn(admit)
    room.ciphers.forget(request.devEui)
    room.joinedBy.set(request.devEui, heard.id)
    room.events.queue(joined.changed)
    answer(room, heard, request, windows, joined.phy)
    const event: JoinEvent = { devEui: request.devEui, joinEui: request.joinEui, devAddr: joined.devAddr, refused: null, at: momentOf(room.clock) }
    room.events.join(event)
    return { kind: 'join', event }
  } catch (thrown) {
    // Both copies may have been on their way to the disk.
    if (thrown instanceof Refused && isCopy()) return { kind: 'repeated', devEui: request.devEui }
    if (thrown instanceof Refused) return refuse(room, request, thrown.message)
    throw thrown
  }
}

function refusal(device: KeylessDevice, request: JoinRequest): string | null {
  if (device.isDisabled) return 'disabled by the owner'
  if (device.activation === 'abp') return 'registered as ABP: it has its session already, and may not join'
  if (device.joinEui !== request.joinEui) return `JoinEUI ${request.joinEui}, where ${device.joinEui} is registered`
  return null
}

function admit(room: Room, tx: Tx, heard: Heard, request: JoinRequest, dataRate: number, root: AesKey, { rootKey, appKey }: { readonly rootKey: Uint8Array; readonly appKey: Uint8Array | null }, windows: readonly OpenWindow[]): Admitted {
  const { rows, plan } = room
  const device = rows.device(tx, request.devEui)
  const why = device === null ? 'removed meanwhile' : refusal(device, request)
  if (device === null || why !== null) throw new Refused(why ?? '')
  const rule = device.macVersion === '1.0.4' || device.macVersion === '1.1' ? 'greater' : 'unused'
  if (!rows.useDevNonce(tx, device.devEui, request.devNonce, rule))
    throw new Refused(rule === 'greater' ? `DevNonce ${request.devNonce} is not greater than the last: the device lost count; forget its nonces to let it in` : `DevNonce ${request.devNonce} used before: a repetition, or the device lost count; forget its nonces to let it in`)
  const joinNonce = newJoinNonce(room, tx, device.devEui)
  const devAddr = newAddress(room, tx)
  const hasCfList = plan.cfList !== null && windows.every((window) => isShortEnough(plan, window, ACCEPT_WITH_LIST_BYTES))
  const number = rows.nextNumber(tx, device.devEui)
  const at = momentOf(room.clock)
  // Where the accept says nothing of channels, the device has the region's own.
  const session = joinedSession(plan, device, { number, devAddr, dataRate, at, gateway: bestCopy(heard).gateway, hasCfList })
  const cfList = hasCfList ? plan.cfList : null
  const settings: AcceptSettings = { devAddr, rx1DrOffset: plan.rx1DrOffset, rx2DataRate: plan.rx2.dataRate, rxDelaySeconds: plan.rxDelaySeconds, cfList }
  if (device.macVersion === '1.1') {
    if (appKey === null) throw new Refused('registered as 1.1 without an AppKey')
    rows.offerSession(tx, session, sessionKeys11(rootKey, appKey, { joinNonce, joinEui: device.joinEui, devNonce: request.devNonce }))
    return { devAddr, phy: accept11(plan, device, rootKey, root, { ...settings, joinNonce, requestType: BY_JOIN, nonce: request.devNonce }), changed: [] }
  }
  const changed = queueAfterJoin(rows.queue(tx, device.devEui), rows.session(tx, device.devEui)?.awaitingAck?.queueId ?? null)
  for (const item of changed) rows.saveQueueItem(tx, item)
  rows.startSession(tx, session, sessionKeys10(rootKey, { joinNonce, netId: plan.netId, devNonce: request.devNonce }))
  return { devAddr, phy: sealJoinAccept(root, { ...settings, joinNonce, netId: plan.netId, optNeg: false }), changed }
}

interface AcceptSettings {
  readonly devAddr: DevAddr
  readonly rx1DrOffset: number
  readonly rx2DataRate: number
  readonly rxDelaySeconds: number
  readonly cfList: CfList | null
}

/** `sealing`: NwkKey for a join, JSEncKey for a rejoin. `nonce`: DevNonce, or RJcount. */
export function accept11(plan: NetworkPlan, device: Pick<KeylessDevice, 'devEui' | 'joinEui'>, nwkKey: Uint8Array, sealing: AesKey, accept: AcceptSettings & { readonly joinNonce: number; readonly requestType: number; readonly nonce: number }): Uint8Array {
  const { requestType, nonce, ...settings } = accept
  const jsIntKey = joinServerKeys(nwkKey, device.devEui).int
  return sealJoinAccept(sealing, { ...settings, netId: plan.netId, optNeg: true }, { jsIntKey, requestType, joinEui: device.joinEui, devNonce: nonce })
}

/** Errors: Refused. */
export function newJoinNonce(room: Room, tx: Tx, devEui: Eui): number {
  const joinNonce = room.rows.nextJoinNonce(tx, devEui)
  if (joinNonce === null) throw new Refused('all 16,777,215 JoinNonces are used: the device needs new root keys and a new DevEUI')
  return joinNonce
}

function answer(room: Room, heard: Heard, request: Pick<JoinRequest, 'devEui'>, windows: readonly OpenWindow[], phy: Uint8Array): void {
  const copy = answeringCopy(room, heard)
  const phys = windows.map((window) => (isShortEnough(room.plan, window, phy.length) ? phy : null))
  void room.desk.place({
    id: room.ids.next(),
    gateway: copy.gateway,
    windows,
    likelyBytes: phy.length,
    purpose: 'join',
    priority: JOIN_PRIORITY,
    tenant: null,
    devEui: request.devEui,
    expiresMs: copy.arrivedMs + 6_000,
    isWanted: () => true,
    prepare: () => phys,
    undone: () => undefined,
    settled: () => undefined,
    keepsFailure: () => false,
  })
}

export function refuse(room: Room, request: Pick<JoinRequest, 'devEui' | 'joinEui'>, why: string): Verdict {
  const event: JoinEvent = { devEui: request.devEui, joinEui: request.joinEui, devAddr: null, refused: why, at: momentOf(room.clock) }
  room.events.join(event)
  return { kind: 'join', event }
}

/** Random among the network's own that nobody has. */
export function newAddress(room: Room, tx: Tx): DevAddr {
  const free = 2 ** (32 - prefixOfNetId(room.plan.netId).bits)
  for (let tries = 0; tries < ADDRESS_TRIES; tries++) {
    const bytes = room.random.bytes(4)
    const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0) % free
    const devAddr = devAddrIn(room.plan.netId, number)
    if (!room.rows.isDevAddrTaken(tx, devAddr)) return devAddr
  }
  throw new Refused(`no free DevAddr was found in NetID ${room.plan.netId.toString(16).padStart(6, '0')}`)
}

/** Under a dwell limit a slow accept with a list of channels would be too long. */
export function isShortEnough(plan: NetworkPlan, window: OpenWindow, bytes: number): boolean {
  const { defaultDwell, dwellUs } = plan.region
  return bytes === ACCEPT_BYTES || !defaultDwell.down || dwellUs === null || timeOnAirUs(window.modulation, bytes, window) <= dwellUs
}

/** The best one whose gateway can be reached now; nobody can be: the best one, so that the reason is seen. */
export function answeringCopy(room: Room, heard: Heard): Heard['copies'][number] {
  if (heard.copies.length === 1) return bestCopy(heard)
  const online = new Set(room.radio.gateways().flatMap(({ id, isOnline }) => (isOnline ? [id] : [])))
  return heard.copies.find((copy) => online.has(copy.gateway)) ?? bestCopy(heard)
}

export function bestCopy(heard: Heard): Heard['copies'][number] {
  const best = heard.copies[0]
  if (best === undefined) throw inputError('copies', 'none', 'at least one')
  return best
}
