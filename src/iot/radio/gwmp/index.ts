/** GWMP as bytes and shapes; pure. Server and northbound client are in ../io. */
export { MAX_DATAGRAM_BYTES, ackFor, decodeDatagram, encodeDatagram } from './datagram.ts'
export type { Datagram, DatagramKind } from './datagram.ts'
export { readPullResp, slotUs, writePullResp } from './pull-resp.ts'
export type { TxRequest } from './pull-resp.ts'
export { readPushData } from './push-data.ts'
export type { PushData, ReceivedPacket } from './push-data.ts'
export { readTxAck, writeTxAck } from './tx-ack.ts'
export type { TxAckBody } from './tx-ack.ts'
