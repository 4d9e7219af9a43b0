/**
 * LoRa in, readings and money out. docs/iot.md
 *
 * `startIot(parts)` is the running room: `desk` for the owner's doors, `stop` for the end. Its tables are in tables/index.ts, which every box
 * has; this file is loaded only where the room is switched on.
 */
export type { BrokerUserView, CodecView, DeviceOrder, DownlinkEvent, GatewayView, IotOverview, IotRoomDesk, IotToken, RuleOrder, RuleTrial, RuleView, SendOrder, TenantDetail } from './desk.ts'
export { startIot } from './iot.ts'
export type { ConnectMqtt, MqttConnection, MqttParts, MqttSettings } from './mqtt/index.ts'
export type { IotParts, IotRoom, IotRoomSettings, OpenMqtt } from './parts.ts'
export type { BillableUnit, CopyContest, DeviceView, Eui, FrameEvent, Gateway, GatewayStats, KeySeal, Modulation, QueueItem, Reading, Receipt, ReceiptSigner, Route, Rule, RuleRun, SubBandBudget, Tenant, TenantId, TenantPayments, TlsFacts, Value } from './ports.ts'
export { NeighbourContest, SOLE_BOX } from './radio/index.ts'
export type { ContestOffer, ContestPeers } from './radio/index.ts'
export type { EarningsBook, TenantChannels } from './tenants/index.ts'
