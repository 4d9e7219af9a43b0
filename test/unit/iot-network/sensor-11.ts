/** A LoRaWAN 1.1 device, by the book: two root keys, two counters downward, RekeyInd until it is confirmed, ResetInd after a reset, rejoins. */
import { AesKey, decodeFrame, encodeFrame, isMicRight, joinServerKeys, makeJoinRequest, openData, openJoinAccept, openSessionKeys, readDownCommands, sealData, sessionKeys10, sessionKeys11, writeUpCommands } from '../../../src/iot/lorawan/index.ts'
import type { DownCommand, SessionCiphers, UpCommand } from '../../../src/iot/lorawan/index.ts'
import type { Device, Heard, Modulation, SessionKeys } from '../../../src/iot/ports.ts'
import { expect } from 'vitest'
import { EU868, otaa } from './box.ts'
import type { Box } from './box.ts'
import { JOIN_EUI } from './sensor.ts'

const BY_JOIN = 0xff
const ROUND = 0x1_0000
const MIC_BYTES = 4

export interface Received11 {
  readonly fCnt: number
  readonly counter: 'network' | 'application'
  readonly fPort: number | null
  readonly payload: Uint8Array
  readonly ack: boolean
  readonly isConfirmed: boolean
  readonly commands: readonly DownCommand[]
}

type FrameOptions = { readonly fPort?: number; readonly isConfirmed?: boolean; readonly commands?: readonly UpCommand[]; readonly channel?: number; readonly withoutRekeyInd?: boolean; readonly fCnt?: number }

export class Sensor11 {
  readonly devEui: string
  readonly nwkKey: Uint8Array
  readonly appKey: Uint8Array
  netId = 0
  devNonce = 0
  lastJoinNonce = 0
  rejoinCount0 = 0
  rejoinCount1 = 0
  keys: SessionKeys | null = null
  ciphers: SessionCiphers | null = null
  devAddr = 0
  fCntUp = 0
  /** Last ones taken; −1: none. */
  nFCntDown = -1
  aFCntDown = -1
  /** Said with each frame until it is confirmed. */
  mustSay: UpCommand | null = null
  dataRate = 5
  frequencies = EU868.channels.map((channel) => channel.frequencyHz)
  answers: UpCommand[] = []
  /** Counter of the confirmed downlink that the next frame acknowledges. */
  toAck: number | null = null
  lastConfirmedUp = 0
  readonly received: Received11[] = []
  readonly refused: string[] = []

  constructor(devEui: string, nwkKey: Uint8Array, appKey: Uint8Array) {
    this.devEui = devEui
    this.nwkKey = nwkKey
    this.appKey = appKey
  }

  get modulation(): Modulation {
    return EU868.dataRates[this.dataRate]?.modulation as Modulation
  }

  registered(more: Partial<Device> = {}): Device {
    return otaa(this.devEui, this.nwkKey, { macVersion: '1.1', appKey: this.appKey, ...more })
  }

  joinRequest(devNonce = this.devNonce++): Uint8Array {
    return makeJoinRequest(new AesKey(this.nwkKey), { joinEui: JOIN_EUI, devEui: this.devEui, devNonce })
  }

  rejoinRequest(rejoinType: 0 | 1 | 2, count = rejoinType === 1 ? this.rejoinCount1++ : this.rejoinCount0++, joinEui = JOIN_EUI): Uint8Array {
    const phy = encodeFrame({
      ...{ type: 'rejoin-request', rejoinType, devEui: this.devEui, rejoinCount: count, mic: new Uint8Array(MIC_BYTES) },
      ...(rejoinType === 1 ? { netId: null, joinEui } : { netId: this.netId, joinEui: null }),
    })
    const key = rejoinType === 1 ? new AesKey(joinServerKeys(this.nwkKey, this.devEui).int) : (this.ciphers as SessionCiphers).sNwkSInt
    phy.set(key.cmac(phy.slice(0, -MIC_BYTES)).subarray(0, MIC_BYTES), phy.length - MIC_BYTES)
    return phy
  }

  /** `answered`: what the accept is for. False: it is not for this device, or not new. */
  accept(phy: Uint8Array, answered: { readonly rejoinType: 0 | 1 | 2; readonly count: number } | null = null): boolean {
    const { int, enc } = joinServerKeys(this.nwkKey, this.devEui)
    const nonce = answered?.count ?? this.devNonce - 1
    const { accept, isMicRight: isRight } = openJoinAccept(new AesKey(answered === null ? this.nwkKey : enc), phy, { jsIntKey: int, requestType: answered?.rejoinType ?? BY_JOIN, joinEui: JOIN_EUI, devNonce: nonce })
    if (!isRight || accept.joinNonce <= this.lastJoinNonce) return false
    this.lastJoinNonce = accept.joinNonce
    this.keys = accept.optNeg ? sessionKeys11(this.nwkKey, this.appKey, { joinNonce: accept.joinNonce, joinEui: JOIN_EUI, devNonce: nonce }) : sessionKeys10(this.nwkKey, { joinNonce: accept.joinNonce, netId: accept.netId, devNonce: nonce })
    this.start(this.keys, accept.devAddr, accept.optNeg)
    this.mustSay = accept.optNeg ? { name: 'RekeyInd', minor: 1 } : null
    this.netId = accept.netId
    if (answered?.rejoinType !== 2) this.frequencies = EU868.channels.map((channel) => channel.frequencyHz)
    if (accept.cfList?.kind === 'frequencies') this.frequencies.push(...accept.cfList.frequenciesHz.filter((hz) => hz > 0))
    return true
  }

  /** Counters from 0 under these keys: after a join, or as it was made. */
  start(keys: SessionKeys, devAddr: number, is11 = true): void {
    this.keys = keys
    this.ciphers = openSessionKeys(keys, is11)
    this.devAddr = devAddr
    this.fCntUp = 0
    this.nFCntDown = -1
    this.aFCntDown = -1
    this.rejoinCount0 = 0
    this.answers = []
    this.toAck = null
  }

  frame(payload: Uint8Array | null, options: FrameOptions = {}): Uint8Array {
    const fCnt32 = options.fCnt ?? this.fCntUp++
    const said = this.mustSay === null || options.withoutRekeyInd === true ? [] : [this.mustSay]
    const fOpts = writeUpCommands([...said, ...this.answers, ...(options.commands ?? [])])
    this.answers = []
    const phy = sealData(
      this.ciphers as SessionCiphers,
      {
        direction: 'up', isConfirmed: options.isConfirmed ?? false, devAddr: this.devAddr, adr: true, adrAckReq: false, ack: this.toAck !== null, bit4: false, fCnt32,
        fOpts, fPort: payload === null ? null : (options.fPort ?? 1), frmPayload: payload ?? new Uint8Array(0),
      },
      { confFCnt: this.toAck ?? 0, dataRate: this.dataRate, channel: options.channel ?? 0 },
    )
    this.toAck = null
    if (options.isConfirmed === true) this.lastConfirmedUp = fCnt32
    return phy
  }

  /** Null: it is not for this device, or refused. */
  hear(phy: Uint8Array): Received11 | null {
    const frame = decodeFrame(phy)
    if (frame.type !== 'data' || frame.devAddr !== this.devAddr || this.ciphers === null) return null
    const { is11 } = this.ciphers
    const counter = is11 && frame.fPort !== null && frame.fPort !== 0 ? 'application' : 'network'
    const from = (counter === 'application' ? this.aFCntDown : this.nFCntDown) + 1
    const fCnt = from + ((((frame.fCnt16 - from) % ROUND) + ROUND) % ROUND)
    if (!isMicRight(this.ciphers, phy, 'down', fCnt, { confFCnt: this.lastConfirmedUp, dataRate: 0, channel: 0 })) {
      this.refused.push(`${counter} counter ${frame.fCnt16} after ${from - 1}`)
      return null
    }
    if (counter === 'application') this.aFCntDown = fCnt
    else this.nFCntDown = fCnt
    const { fOpts, payload } = openData(this.ciphers, frame, fCnt)
    const { commands, unread } = readDownCommands(frame.fPort === 0 ? payload : fOpts)
    expect(unread).toHaveLength(0)
    for (const command of commands) {
      if (command.name === 'RekeyConf' || command.name === 'ResetConf') this.mustSay = null
      if (command.name === 'DevStatusReq') this.answers.push({ name: 'DevStatusAns', battery: 200, margin: 7 })
      if (command.name === 'RXTimingSetupReq') this.answers.push({ name: 'RXTimingSetupAns' })
      if (command.name === 'NewChannelReq') {
        this.frequencies[command.channel] = command.frequencyHz
        this.answers.push({ name: 'NewChannelAns', frequencyOk: 1, dataRateRangeOk: 1 })
      }
    }
    if (frame.isConfirmed) this.toAck = fCnt
    const got: Received11 = { fCnt, counter, fPort: frame.fPort, payload, ack: frame.ack, isConfirmed: frame.isConfirmed, commands }
    this.received.push(got)
    return got
  }

  /** As a gateway hears it, on one of its channels. */
  heardOn(box: Box, phy: Uint8Array, channel = 0): Heard {
    return box.heard(phy, { frequencyHz: this.frequencies[channel] ?? 0, modulation: this.modulation })
  }
}

/** Registers it, lets it join, and say its first frame, which is answered. */
export async function joined11(box: Box, sensor: Sensor11): Promise<void> {
  await box.network.devices.put(sensor.registered(), null)
  expect(await box.network.server.take(sensor.heardOn(box, sensor.joinRequest()))).toMatchObject({ kind: 'join', event: { refused: null } })
  await box.pass(5_000)
  expect(sensor.accept(box.air.sent.at(-1)?.window.phy as Uint8Array)).toBe(true)
  expect(await speak(box, sensor, sensor.frame(null))).toMatchObject({ kind: 'mac' })
  expect(sensor.mustSay).toBeNull()
}

/** One frame, and what it is answered with is heard. */
export async function speak(box: Box, sensor: Sensor11, phy: Uint8Array, channel = 0): ReturnType<Box['network']['server']['take']> {
  const before = box.air.sent.length
  const verdict = await box.network.server.take(sensor.heardOn(box, phy, channel))
  await box.pass(3_000, 100)
  for (const { window } of box.air.sent.slice(before)) if (decodeFrame(window.phy).type === 'data') sensor.hear(window.phy)
  return verdict
}
