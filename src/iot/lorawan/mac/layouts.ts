/**
 * MAC commands as rows: which bits of which command mean what. LoRaWAN L2 1.0.4, chapter 5; 1.1, chapter 5; class B, chapter 12.
 *
 * A field is [first bit, bits] of the command's bytes read as one little-endian number, with a third entry where it needs one: 'signed'
 * (two's complement) or 'x100' (in units of 100 Hz; shown in Hz). Bits in no field are RFU: ignored in, 0 out. A command's own names
 * are those of the specification.
 */
export type FieldLayout = readonly [firstBit: number, bits: number, form?: 'signed' | 'x100']

export interface CommandLayout {
  readonly cid: number
  readonly bytes: number
  readonly fields: Readonly<Record<string, FieldLayout>>
}

/** Device to network. */
export const UP = {
  ResetInd: { cid: 0x01, bytes: 1, fields: { minor: [0, 4] } },
  LinkCheckReq: { cid: 0x02, bytes: 0, fields: {} },
  LinkADRAns: { cid: 0x03, bytes: 1, fields: { channelMaskAck: [0, 1], dataRateAck: [1, 1], powerAck: [2, 1] } },
  DutyCycleAns: { cid: 0x04, bytes: 0, fields: {} },
  RXParamSetupAns: { cid: 0x05, bytes: 1, fields: { channelAck: [0, 1], rx2DataRateAck: [1, 1], rx1DrOffsetAck: [2, 1] } },
  /** battery: 0 external supply, 1..254 of full, 255 cannot measure. margin: dB, SNR of the last DevStatusReq. */
  DevStatusAns: { cid: 0x06, bytes: 2, fields: { battery: [0, 8], margin: [8, 6, 'signed'] } },
  NewChannelAns: { cid: 0x07, bytes: 1, fields: { frequencyOk: [0, 1], dataRateRangeOk: [1, 1] } },
  RXTimingSetupAns: { cid: 0x08, bytes: 0, fields: {} },
  TXParamSetupAns: { cid: 0x09, bytes: 0, fields: {} },
  DlChannelAns: { cid: 0x0a, bytes: 1, fields: { frequencyOk: [0, 1], uplinkFrequencyExists: [1, 1] } },
  RekeyInd: { cid: 0x0b, bytes: 1, fields: { minor: [0, 4] } },
  ADRParamSetupAns: { cid: 0x0c, bytes: 0, fields: {} },
  DeviceTimeReq: { cid: 0x0d, bytes: 0, fields: {} },
  RejoinParamSetupAns: { cid: 0x0f, bytes: 1, fields: { timeOk: [0, 1] } },
  PingSlotInfoReq: { cid: 0x10, bytes: 1, fields: { periodicity: [0, 3] } },
  PingSlotChannelAns: { cid: 0x11, bytes: 1, fields: { frequencyOk: [0, 1], dataRateOk: [1, 1] } },
  BeaconTimingReq: { cid: 0x12, bytes: 0, fields: {} },
  BeaconFreqAns: { cid: 0x13, bytes: 1, fields: { frequencyOk: [0, 1] } },
  /** 0 class A, 2 class C. */
  DeviceModeInd: { cid: 0x20, bytes: 1, fields: { class: [0, 8] } },
} as const satisfies Readonly<Record<string, CommandLayout>>

/** Network to device. */
export const DOWN = {
  ResetConf: { cid: 0x01, bytes: 1, fields: { minor: [0, 4] } },
  /** margin: dB above the floor; gateways: how many heard the request. */
  LinkCheckAns: { cid: 0x02, bytes: 2, fields: { margin: [0, 8], gateways: [8, 8] } },
  /** dataRate and txPower 15: leave as it is. nbTrans 0: leave as it is. */
  LinkADRReq: { cid: 0x03, bytes: 4, fields: { txPower: [0, 4], dataRate: [4, 4], channelMask: [8, 16], nbTrans: [24, 4], channelMaskControl: [28, 3] } },
  /** At most 1 / 2^maxDutyCycle of the time. */
  DutyCycleReq: { cid: 0x04, bytes: 1, fields: { maxDutyCycle: [0, 4] } },
  RXParamSetupReq: { cid: 0x05, bytes: 4, fields: { rx2DataRate: [0, 4], rx1DrOffset: [4, 3], frequencyHz: [8, 24, 'x100'] } },
  DevStatusReq: { cid: 0x06, bytes: 0, fields: {} },
  NewChannelReq: { cid: 0x07, bytes: 5, fields: { channel: [0, 8], frequencyHz: [8, 24, 'x100'], minDataRate: [32, 4], maxDataRate: [36, 4] } },
  RXTimingSetupReq: { cid: 0x08, bytes: 1, fields: { delaySeconds: [0, 4] } },
  /** maxEirp: index into 8 10 12 13 14 16 18 20 21 24 26 27 29 30 33 36 dBm. */
  TXParamSetupReq: { cid: 0x09, bytes: 1, fields: { maxEirp: [0, 4], uplinkDwell: [4, 1], downlinkDwell: [5, 1] } },
  DlChannelReq: { cid: 0x0a, bytes: 4, fields: { channel: [0, 8], frequencyHz: [8, 24, 'x100'] } },
  RekeyConf: { cid: 0x0b, bytes: 1, fields: { minor: [0, 4] } },
  ADRParamSetupReq: { cid: 0x0c, bytes: 1, fields: { delayExponent: [0, 4], limitExponent: [4, 4] } },
  /** GPS epoch: seconds, and 1/256 s. At the end of the frame that asked. */
  DeviceTimeAns: { cid: 0x0d, bytes: 5, fields: { seconds: [0, 32], fraction: [32, 8] } },
  ForceRejoinReq: { cid: 0x0e, bytes: 2, fields: { dataRate: [0, 4], rejoinType: [4, 3], maxRetries: [8, 3], period: [11, 3] } },
  RejoinParamSetupReq: { cid: 0x0f, bytes: 1, fields: { maxCount: [0, 4], maxTime: [4, 4] } },
  PingSlotInfoAns: { cid: 0x10, bytes: 0, fields: {} },
  PingSlotChannelReq: { cid: 0x11, bytes: 4, fields: { frequencyHz: [0, 24, 'x100'], dataRate: [24, 4] } },
  BeaconTimingAns: { cid: 0x12, bytes: 3, fields: { delay: [0, 16], channel: [16, 8] } },
  BeaconFreqReq: { cid: 0x13, bytes: 3, fields: { frequencyHz: [0, 24, 'x100'] } },
  DeviceModeConf: { cid: 0x20, bytes: 1, fields: { class: [0, 8] } },
} as const satisfies Readonly<Record<string, CommandLayout>>

/** dBm by TXParamSetupReq.maxEirp. */
export const MAX_EIRP_DBM: readonly number[] = [8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36]
