/**
 * LoRaWAN, as functions of their arguments: frames, keys, codes, counters, MAC commands, regions, time on air. LoRaWAN L2 1.0.2 to 1.0.4
 * and 1.1. Nothing here knows a clock, a disk or a socket. What other parts may use.
 *
 * A network server takes a frame like this: `decodeFrame` → sessions by devAddr → `fullCounter` → `isMicRight` → `openData` →
 * `readUpCommands`; and answers with `writeDownCommands` → `sealData` at `rx1Of`, `timeOnAirUs` long.
 */
export { AesKey, KEY_BYTES } from './aes.ts'
export { MAX_FCNT, fullCounter, isWithinGap, previousCounter } from './counter.ts'
export { devAddrIn, hasPrefix, prefixOfNetId } from './dev-addr.ts'
export type { AddressPrefix } from './dev-addr.ts'
export { MAX_FOPTS_BYTES, MAX_FRM_PAYLOAD_BYTES, MAX_PHY_BYTES, decodeFrame, encodeFrame } from './frame.ts'
export type { DataFrame, Direction, Frame, JoinRequest, ProprietaryFrame, RejoinRequest, SealedJoinAccept } from './frame.ts'
export { isJoinRequestBy, makeJoinRequest, openJoinAccept, sealJoinAccept } from './join.ts'
export type { CfList, Join11, JoinAccept } from './join.ts'
export { joinServerKeys, sessionKeys10, sessionKeys11 } from './keys.ts'
export type { JoinNumbers } from './keys.ts'
export { commandBytes, readDownCommands, readUpCommands, writeDownCommands, writeUpCommands } from './mac/commands.ts'
export type { CommandsRead, DownCommand, UpCommand } from './mac/commands.ts'
export { MAX_EIRP_DBM } from './mac/layouts.ts'
export { dataMic } from './mic.ts'
export { devAddrText, euiBytes } from './octets.ts'
export { cfListFor } from './regions/channel-list.ts'
export { applyMasks, masksFor } from './regions/channel-mask.ts'
export type { ChannelMask } from './regions/channel-mask.ts'
export { REGIONS, channelOf, dataRate, dataRateOf, maxPayloadBytes, regionNamed, rx1Of, subBandAt, txPowerDbm } from './regions/index.ts'
export type { DataRate, Region, RegionChannel, RegionName, SubBand } from './regions/index.ts'
export { isMicRight, openData, openSessionKeys, sealData } from './session.ts'
export type { Circumstances, ClearFrame, SessionCiphers } from './session.ts'
export { PREAMBLE, timeOnAirUs } from './time-on-air.ts'
export type { AirOptions } from './time-on-air.ts'
