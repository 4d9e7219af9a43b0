/** A LoRaWAN 1.0 device, by the book: joins, counts, listens in its windows, takes MAC commands, refuses a counter it has seen. */
import { AesKey, applyMasks, decodeFrame, isMicRight, makeJoinRequest, openData, openJoinAccept, openSessionKeys, readDownCommands, regionNamed, rx1Of, sealData, sessionKeys10, writeUpCommands } from '../../../src/iot/lorawan/index.ts'
import type { DownCommand, SessionCiphers, UpCommand } from '../../../src/iot/lorawan/index.ts'
import type { DeviceSession, Modulation, SessionKeys } from '../../../src/iot/ports.ts'
import { expect } from 'vitest'
import { EU868, otaa } from './box.ts'
import type { Box, OnAir } from './box.ts'

export const JOIN_EUI = '0101010101010101'
const SLACK_MS = 20

export interface Received {
  readonly fCnt: number
  readonly fPort: number | null
  readonly payload: Uint8Array
  readonly ack: boolean
  readonly isConfirmed: boolean
  readonly isPending: boolean
  readonly commands: readonly DownCommand[]
  readonly window: 'rx1' | 'rx2' | 'always'
}

export class Sensor {
  readonly devEui: string
  readonly key: Uint8Array
  devNonce = 0
  devAddr = 0
  keys: SessionKeys | null = null
  ciphers: SessionCiphers | null = null
  fCntUp = 0
  /** Last one taken; −1: none. */
  fCntDown = -1
  dataRate = 5
  txPower = 0
  nbTrans = 1
  rxDelay = 1
  rx1Offset = 0
  rx2 = EU868.rx2
  isOn = Array.from({ length: 16 }, (_, index) => index < 3)
  isDefined = Array.from({ length: 16 }, (_, index) => index < 3)
  frequencies = EU868.channels.map((channel) => channel.frequencyHz)
  /** To be said with the next frame. */
  answers: UpCommand[] = []
  mustAck = false
  readonly received: Received[] = []
  /** Frames for it that it had to refuse: counters it has seen, or a wrong code. */
  readonly refused: string[] = []
  refusesPower = false

  constructor(devEui: string, key: Uint8Array) {
    this.devEui = devEui
    this.key = key
  }

  get modulation(): Modulation {
    return EU868.dataRates[this.dataRate]?.modulation as Modulation
  }

  joinRequest(devNonce = this.devNonce++): Uint8Array {
    return makeJoinRequest(new AesKey(this.key), { joinEui: JOIN_EUI, devEui: this.devEui, devNonce })
  }

  /** An accept that came in its windows. */
  accept(phy: Uint8Array, devNonce = this.devNonce - 1): boolean {
    const { accept, isMicRight: isRight } = openJoinAccept(new AesKey(this.key), phy)
    if (!isRight) return false
    this.keys = sessionKeys10(this.key, { joinNonce: accept.joinNonce, netId: accept.netId, devNonce })
    this.ciphers = openSessionKeys(this.keys, false)
    this.devAddr = accept.devAddr
    this.fCntUp = 0
    this.fCntDown = -1
    this.rxDelay = Math.max(1, accept.rxDelaySeconds)
    this.rx1Offset = accept.rx1DrOffset
    this.rx2 = { frequencyHz: EU868.rx2.frequencyHz, dataRate: accept.rx2DataRate }
    this.txPower = 0
    this.nbTrans = 1
    this.answers = []
    this.mustAck = false
    if (accept.cfList?.kind === 'frequencies')
      accept.cfList.frequenciesHz.forEach((hz, index) => {
        if (hz > 0) this.#define(3 + index, hz)
      })
    return true
  }

  /** ABP: what the owner types in. */
  session(keys: SessionKeys, devAddr: number): DeviceSession {
    this.keys = keys
    this.ciphers = openSessionKeys(keys, false)
    this.devAddr = devAddr
    const at = { bootId: '', boottimeMs: 0, wallMs: 0, wallTrusted: false }
    return {
      devEui: this.devEui, devAddr, keys, fCntUp: 0, fCntDown: 0, aFCntDown: 0, confFCnt: 0, rxDelaySeconds: 1, rx1DrOffset: 0,
      rx2DataRate: EU868.rx2.dataRate, rx2FrequencyHz: EU868.rx2.frequencyHz, channels: [], dataRate: 5, txPowerIndex: 0, nbTrans: 1,
      hasUplinkDwell: false, hasDownlinkDwell: false, maxEirpDbm: 16, history: [], pendingMac: [], lastUplink: null, awaitingAck: null,
      battery: null, marginDb: null, startedAt: at, lastSeen: null,
    }
  }

  frame(payload: Uint8Array | null, options: { fPort?: number; isConfirmed?: boolean; adr?: boolean; adrAckReq?: boolean; commands?: readonly UpCommand[]; fCnt?: number } = {}): Uint8Array {
    const fCnt32 = options.fCnt ?? this.fCntUp++
    const fOpts = writeUpCommands([...this.answers, ...(options.commands ?? [])])
    this.answers = this.answers.filter((answer) => ['RXParamSetupAns', 'RXTimingSetupAns'].includes(answer.name))
    const phy = sealData(this.ciphers as SessionCiphers, {
      direction: 'up', isConfirmed: options.isConfirmed ?? false, devAddr: this.devAddr, adr: options.adr ?? true, adrAckReq: options.adrAckReq ?? false,
      ack: this.mustAck, bit4: false, fCnt32, fOpts: fOpts.subarray(0, 15), fPort: payload === null ? null : (options.fPort ?? 1), frmPayload: payload ?? new Uint8Array(0),
    })
    this.mustAck = false
    return phy
  }

  /** In which of its windows a frame is after an uplink that ended at `upMs`; null: it does not listen then or there. */
  windowOf(sent: OnAir, upMs: number, up: { readonly frequencyHz: number; readonly dataRate: number }, delays: { readonly rx1: number; readonly rx2: number; readonly offset: number; readonly rx2At: { readonly frequencyHz: number; readonly dataRate: number } }): 'rx1' | 'rx2' | null {
    const isAt = (seconds: number): boolean => Math.abs(sent.startMs - upMs - seconds * 1_000) <= SLACK_MS
    const isOn = (at: { readonly frequencyHz: number; readonly dataRate: number }): boolean => sent.window.frequencyHz === at.frequencyHz && isSame(sent.window.modulation, at.dataRate)
    if (isAt(delays.rx1) && isOn(rx1Of(EU868, up, delays.offset, false))) return 'rx1'
    return isAt(delays.rx2) && isOn(delays.rx2At) ? 'rx2' : null
  }

  get delays() {
    return { rx1: this.rxDelay, rx2: this.rxDelay + 1, offset: this.rx1Offset, rx2At: this.rx2 }
  }

  /** Null: it is not for this device, or refused. */
  hear(phy: Uint8Array, window: Received['window'] = 'rx1'): Received | null {
    const frame = decodeFrame(phy)
    if (frame.type !== 'data' || frame.devAddr !== this.devAddr || this.ciphers === null) return null
    const from = this.fCntDown + 1
    const fCnt = from + ((((frame.fCnt16 - from) % 65_536) + 65_536) % 65_536)
    if (!isMicRight(this.ciphers, phy, 'down', fCnt)) {
      this.refused.push(`counter ${frame.fCnt16} after ${this.fCntDown}`)
      return null
    }
    this.fCntDown = fCnt
    // Any downlink ends what was repeated.
    this.answers = []
    const { fOpts, payload } = openData(this.ciphers, frame, fCnt)
    const commands = readDownCommands(frame.fPort === 0 ? payload : fOpts).commands
    this.#obey(commands)
    if (frame.isConfirmed) this.mustAck = true
    const got: Received = { fCnt, fPort: frame.fPort, payload, ack: frame.ack, isConfirmed: frame.isConfirmed, isPending: frame.bit4, commands, window }
    this.received.push(got)
    return got
  }

  #obey(commands: readonly DownCommand[]): void {
    const masks = commands.flatMap((command) => (command.name === 'LinkADRReq' ? [command] : []))
    const last = masks.at(-1)
    if (last !== undefined) {
      const isOn = applyMasks(regionNamed('EU868'), this.isDefined, this.isOn, masks)
      const isRight = isOn !== null && !this.refusesPower
      if (isRight) {
        this.isOn = [...isOn]
        this.dataRate = last.dataRate
        this.txPower = last.txPower
        this.nbTrans = Math.max(1, last.nbTrans)
      }
      for (const _ of masks) this.answers.push({ name: 'LinkADRAns', channelMaskAck: isOn === null ? 0 : 1, dataRateAck: 1, powerAck: this.refusesPower ? 0 : 1 })
    }
    for (const command of commands) {
      if (command.name === 'DevStatusReq') this.answers.push({ name: 'DevStatusAns', battery: 200, margin: 7 })
      if (command.name === 'NewChannelReq') {
        this.#define(command.channel, command.frequencyHz)
        this.answers.push({ name: 'NewChannelAns', frequencyOk: 1, dataRateRangeOk: 1 })
      }
      if (command.name === 'RXTimingSetupReq') {
        this.rxDelay = command.delaySeconds
        this.answers.push({ name: 'RXTimingSetupAns' })
      }
      if (command.name === 'RXParamSetupReq') {
        this.rx1Offset = command.rx1DrOffset
        this.rx2 = { frequencyHz: command.frequencyHz, dataRate: command.rx2DataRate }
        this.answers.push({ name: 'RXParamSetupAns', channelAck: 1, rx1DrOffsetAck: 1, rx2DataRateAck: 1 })
      }
    }
  }

  #define(index: number, hz: number): void {
    this.frequencies[index] = hz
    this.isOn[index] = true
    this.isDefined[index] = true
  }
}

function isSame(modulation: Modulation, dataRate: number): boolean {
  const wanted = EU868.dataRates[dataRate]?.modulation
  return wanted?.kind === 'lora' && modulation.kind === 'lora' && wanted.spreadingFactor === modulation.spreadingFactor && wanted.bandwidthHz === modulation.bandwidthHz
}

/** Registers it and lets it join. */
export async function joined(box: Box, sensor: Sensor, more: Parameters<typeof otaa>[2] = {}): Promise<void> {
  await box.network.devices.put(otaa(sensor.devEui, sensor.key, more), null)
  const verdict = await box.network.server.take(box.heard(sensor.joinRequest()))
  expect(verdict).toMatchObject({ kind: 'join', event: { refused: null } })
  await box.pass(5_000)
  expect(sensor.accept(box.air.sent.at(-1)?.window.phy as Uint8Array)).toBe(true)
}
