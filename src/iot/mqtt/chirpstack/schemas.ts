/** ChirpStack v4's gateway messages, api/proto/gw/gw.proto: numbers and names of the fields that a gateway sends or obeys. */
import type { Schema } from '../protobuf.ts'

const CODE_RATES = ['CR_UNDEFINED', 'CR_4_5', 'CR_4_6', 'CR_4_7', 'CR_4_8', 'CR_3_8', 'CR_2_6', 'CR_1_4', 'CR_1_6', 'CR_5_6', 'CR_LI_4_5', 'CR_LI_4_6', 'CR_LI_4_8'] as const
export type CodeRate = (typeof CODE_RATES)[number]

export const TX_STATUSES = ['IGNORED', 'OK', 'TOO_LATE', 'TOO_EARLY', 'COLLISION_PACKET', 'COLLISION_BEACON', 'TX_FREQ', 'TX_POWER', 'GPS_UNLOCKED', 'QUEUE_FULL', 'INTERNAL_ERROR', 'DUTY_CYCLE_OVERFLOW'] as const

const LORA: Schema = {
  name: 'LoraModulationInfo',
  fields: [
    { no: 1, name: 'bandwidth', type: 'u32' },
    { no: 2, name: 'spreadingFactor', type: 'u32' },
    { no: 3, name: 'codeRateLegacy', type: 'string' },
    { no: 4, name: 'polarizationInversion', type: 'bool' },
    { no: 5, name: 'codeRate', type: { names: CODE_RATES } },
    { no: 6, name: 'preamble', type: 'u32' },
    { no: 7, name: 'noCrc', type: 'bool' },
  ],
}
const FSK: Schema = { name: 'FskModulationInfo', fields: [{ no: 1, name: 'frequencyDeviation', type: 'u32' }, { no: 2, name: 'datarate', type: 'u32' }] }
const LR_FHSS: Schema = {
  name: 'LrFhssModulationInfo',
  fields: [
    { no: 1, name: 'operatingChannelWidth', type: 'u32' },
    { no: 2, name: 'codeRateLegacy', type: 'string' },
    { no: 4, name: 'codeRate', type: { names: CODE_RATES } },
    { no: 3, name: 'gridSteps', type: 'u32' },
  ],
}
const MODULATION: Schema = { name: 'Modulation', fields: [{ no: 3, name: 'lora', type: { message: LORA } }, { no: 4, name: 'fsk', type: { message: FSK } }, { no: 5, name: 'lrFhss', type: { message: LR_FHSS } }] }
const LOCATION: Schema = {
  name: 'Location',
  fields: [
    { no: 1, name: 'latitude', type: 'double' },
    { no: 2, name: 'longitude', type: 'double' },
    { no: 3, name: 'altitude', type: 'double' },
    { no: 4, name: 'source', type: { names: ['UNKNOWN', 'GPS', 'CONFIG'] } },
  ],
}

export const UPLINK_FRAME: Schema = {
  name: 'UplinkFrame',
  fields: [
    { no: 1, name: 'phyPayload', type: 'bytes' },
    { no: 4, name: 'txInfo', type: { message: { name: 'UplinkTxInfo', fields: [{ no: 1, name: 'frequency', type: 'u32' }, { no: 2, name: 'modulation', type: { message: MODULATION } }] } } },
    {
      no: 5,
      name: 'rxInfo',
      type: {
        message: {
          name: 'UplinkRxInfo',
          fields: [
            { no: 1, name: 'gatewayId', type: 'string' },
            { no: 2, name: 'uplinkId', type: 'u32' },
            { no: 3, name: 'gwTime', type: 'timestamp' },
            { no: 4, name: 'timeSinceGpsEpoch', type: 'duration' },
            { no: 5, name: 'fineTimeSinceGpsEpoch', type: 'duration' },
            { no: 6, name: 'rssi', type: 'i32' },
            { no: 7, name: 'snr', type: 'float' },
            { no: 8, name: 'channel', type: 'u32' },
            { no: 9, name: 'rfChain', type: 'u32' },
            { no: 10, name: 'board', type: 'u32' },
            { no: 11, name: 'antenna', type: 'u32' },
            { no: 12, name: 'location', type: { message: LOCATION } },
            { no: 13, name: 'context', type: 'bytes' },
            { no: 16, name: 'crcStatus', type: { names: ['NO_CRC', 'BAD_CRC', 'CRC_OK'] } },
          ],
        },
      },
    },
  ],
}

const TIMING: Schema = {
  name: 'Timing',
  fields: [
    { no: 1, name: 'immediately', type: { message: { name: 'ImmediatelyTimingInfo', fields: [] } } },
    { no: 2, name: 'delay', type: { message: { name: 'DelayTimingInfo', fields: [{ no: 1, name: 'delay', type: 'duration' }] } } },
    { no: 3, name: 'gpsEpoch', type: { message: { name: 'GPSEpochTimingInfo', fields: [{ no: 1, name: 'timeSinceGpsEpoch', type: 'duration' }] } } },
  ],
}

export const DOWNLINK_FRAME: Schema = {
  name: 'DownlinkFrame',
  fields: [
    { no: 3, name: 'downlinkId', type: 'u32' },
    {
      no: 5,
      name: 'items',
      isRepeated: true,
      type: {
        message: {
          name: 'DownlinkFrameItem',
          fields: [
            { no: 1, name: 'phyPayload', type: 'bytes' },
            {
              no: 3,
              name: 'txInfo',
              type: {
                message: {
                  name: 'DownlinkTxInfo',
                  fields: [
                    { no: 1, name: 'frequency', type: 'u32' },
                    { no: 2, name: 'power', type: 'i32' },
                    { no: 3, name: 'modulation', type: { message: MODULATION } },
                    { no: 4, name: 'board', type: 'u32' },
                    { no: 5, name: 'antenna', type: 'u32' },
                    { no: 6, name: 'timing', type: { message: TIMING } },
                    { no: 7, name: 'context', type: 'bytes' },
                  ],
                },
              },
            },
          ],
        },
      },
    },
    { no: 7, name: 'gatewayId', type: 'string' },
  ],
}

export const DOWNLINK_TX_ACK: Schema = {
  name: 'DownlinkTxAck',
  fields: [
    { no: 2, name: 'downlinkId', type: 'u32' },
    { no: 5, name: 'items', isRepeated: true, type: { message: { name: 'DownlinkTxAckItem', fields: [{ no: 1, name: 'status', type: { names: TX_STATUSES } }] } } },
    { no: 6, name: 'gatewayId', type: 'string' },
  ],
}

export const GATEWAY_STATS: Schema = {
  name: 'GatewayStats',
  fields: [
    { no: 2, name: 'time', type: 'timestamp' },
    { no: 3, name: 'location', type: { message: LOCATION } },
    { no: 5, name: 'rxPacketsReceived', type: 'u32' },
    { no: 6, name: 'rxPacketsReceivedOk', type: 'u32' },
    { no: 7, name: 'txPacketsReceived', type: 'u32' },
    { no: 8, name: 'txPacketsEmitted', type: 'u32' },
    { no: 17, name: 'gatewayId', type: 'string' },
  ],
}

export const CONN_STATE: Schema = { name: 'ConnState', fields: [{ no: 2, name: 'state', type: { names: ['OFFLINE', 'ONLINE'] } }, { no: 3, name: 'gatewayId', type: 'string' }] }
