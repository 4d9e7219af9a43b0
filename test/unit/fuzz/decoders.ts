/** Every decoder of bytes from outside, by the name of its file in test/fuzz: neighbours, nodes of the chain, concentrators, tenants, guests, programs. */
import { decodeRlp } from '../../../src/base/index.ts'
import { SocketReader } from '../../../src/base/websocket.ts'
import { readForm } from '../../../src/hotspot/portal/form.ts'
import { parseAuthority, parseTarget } from '../../../src/hotspot/portal/host-rule.ts'
import { decodeLpp } from '../../../src/iot/codecs/cayenne-lpp.ts'
import { decodeFrame } from '../../../src/iot/lorawan/index.ts'
import { readDownCommands, readUpCommands } from '../../../src/iot/lorawan/mac/commands.ts'
import { downlinkFrame } from '../../../src/iot/mqtt/index.ts'
import { readUpdateRequest } from '../../../src/iot/radio/cups/update-info.ts'
import { decodeDatagram } from '../../../src/iot/radio/gwmp/datagram.ts'
import { readPullResp } from '../../../src/iot/radio/gwmp/pull-resp.ts'
import { readPushData } from '../../../src/iot/radio/gwmp/push-data.ts'
import { readTxAck } from '../../../src/iot/radio/gwmp/tx-ack.ts'
import { readFields } from '../../../src/iot/radio/station/exact-json.ts'
import { decodePrice, decodeReading, decodeTicket, openFrame } from '../../../src/mesh/documents/index.ts'
import { decodeRoamClaim } from '../../../src/mesh/documents/roam-claim.ts'
import { chainFileAnswer } from '../../../src/mesh/joining/chain-file.ts'
import { decodeJoinFrame } from '../../../src/mesh/joining/join-frames.ts'
import { decodeCarriageFrame } from '../../../src/mesh/metering/frames.ts'
import { readBeacon } from '../../../src/mesh/peers/beacon.ts'
import { decodeControl } from '../../../src/mesh/peers/hello.ts'
import { decodeClaimReply, decodeQuestion, decodeWhere, decodeWords } from '../../../src/mesh/roaming/frames.ts'
import { FrameReader } from '../../../src/photon/node/framing.ts'
import { parseExact } from '../../../src/photon/rest/json.ts'
import { decodeAsk, decodeGossip } from '../../../src/photon/route/announce.ts'
import { decodeFrames } from '../../../src/photon/stream/frames.ts'
import { decodeMdns } from '../../../src/photon/v1/mdns-codec.ts'
import { decodeWatchFrame } from '../../../src/photon/watch/frames.ts'
import { decodeBody } from '../../../src/spectrum/codec/body.ts'
import { decodeHeader } from '../../../src/spectrum/codec/header.ts'
import { decodeCheckpoint } from '../../../src/spectrum/chain/checkpoint.ts'
import { decodeReceipt } from '../../../src/spectrum/codec/receipt.ts'
import { decodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { decodeJoinFile } from '../../../src/spectrum/community/join-file.ts'
import { decodeAccount } from '../../../src/spectrum/proof/account.ts'
import { decodeTrieNode } from '../../../src/spectrum/proof/trie-node.ts'
import { parseEnvelope } from '../../../src/spectrum/rpc/request.ts'
import { RpcError } from '../../../src/spectrum/rpc/rpc-error.ts'
import { decodePacket } from '../../../src/spectrum/source/discovery/packet.ts'
import { parseEnode } from '../../../src/spectrum/source/enode.ts'
import * as eth from '../../../src/spectrum/source/eth63.ts'
import { decodeDisconnect, decodeHello } from '../../../src/spectrum/source/rlpx/base-protocol.ts'
import { readLength } from '../../../src/spectrum/source/rlpx/snappy.ts'
import { curve, wire1, wire2 } from '../photon-wire/parties.ts'

export interface Decoder {
  /** Null, or an object with `refused`, is a refusal too; anything thrown must be a MeshBoxError. */
  readonly decode: (bytes: Uint8Array) => unknown
  /** Decodes of one file: a seed is good when one of them takes it. */
  readonly others?: readonly ((bytes: Uint8Array) => unknown)[]
}

const MOST = { maxBytes: 1 << 20, maxItems: 4096, maxDepth: 32 }
const GATEWAY = '016c001ff10a2035'
const asText =
  (decode: (text: string) => unknown): Decoder['decode'] =>
  (bytes) =>
    decode(Buffer.from(bytes).toString('utf8'))

export const DECODERS: Readonly<Record<string, Decoder>> = {
  account: { decode: decodeAccount },
  body: { decode: decodeBody },
  'cayenne-lpp': { decode: decodeLpp },
  'chain-file-question': { decode: (bytes) => chainFileAnswer({ hash: `0x${'09'.repeat(32)}`, bytes: new Uint8Array(5000) }, bytes) },
  'chain-texts': { decode: asText((text) => decodeJoinFile(curve, text)), others: [asText((text) => decodeCheckpoint(curve, text))] },
  'chirpstack-order': { decode: (bytes) => downlinkFrame(bytes, GATEWAY, 'protobuf'), others: [(bytes) => downlinkFrame(bytes, GATEWAY, 'json')] },
  'discovery-packet': { decode: (bytes) => decodePacket(curve, bytes) },
  enode: { decode: asText(parseEnode) },
  'eth63-get-headers': { decode: eth.decodeGetHeaders },
  'eth63-hashes': { decode: eth.decodeHashes, others: [eth.decodeHeaders, eth.decodeBodies, eth.decodeReceiptLists, eth.decodeNodes, eth.decodeTransactions, eth.decodeNewBlock] },
  'eth63-new-hashes': { decode: eth.decodeNewBlockHashes },
  'eth63-status': { decode: eth.decodeStatus },
  'gwmp-datagram': { decode: decodeDatagram },
  'gwmp-pull-resp': { decode: readPullResp },
  'gwmp-push-data': { decode: readPushData },
  'gwmp-tx-ack': { decode: readTxAck },
  header: { decode: decodeHeader },
  'json-rpc': { decode: asText(called) },
  'lorawan-commands': { decode: readUpCommands, others: [readDownCommands] },
  'lorawan-frame': { decode: decodeFrame },
  'mesh-beacon': { decode: readBeacon },
  'mesh-carriage': { decode: decodeCarriageFrame },
  'mesh-control': { decode: decodeControl },
  'mesh-join': { decode: decodeJoinFrame },
  'mesh-price': { decode: decodePrice },
  'mesh-reading': { decode: decodeReading },
  'mesh-roam-answer': { decode: decodeWhere },
  'mesh-roam-claim': { decode: decodeRoamClaim },
  'mesh-roam-question': { decode: decodeQuestion },
  'mesh-roam-reply': { decode: decodeClaimReply },
  'mesh-roam-ticket': { decode: decodeTicket },
  'mesh-roam-words': { decode: decodeWords },
  'mesh-sealed': { decode: openFrame },
  'photon-ask': { decode: decodeAsk },
  'photon-gossip': { decode: decodeGossip },
  'photon-mdns': { decode: decodeMdns },
  'photon-stream': { decode: decodeFrames },
  'photon-v1-packet': { decode: (bytes) => wire1.decode(bytes), others: [(bytes) => wire2.decode(bytes)] },
  'photon-watch': { decode: decodeWatchFrame },
  'portal-authority': { decode: asText(parseAuthority) },
  'portal-form': { decode: asText(readForm) },
  'portal-target': { decode: asText(parseTarget) },
  receipt: { decode: decodeReceipt },
  'rest-json': { decode: asText(parseExact) },
  rlp: { decode: (bytes) => decodeRlp(bytes, MOST) },
  'rlpx-hello': { decode: decodeHello, others: [decodeDisconnect] },
  'snappy-length': { decode: readLength },
  'station-cups': { decode: asText(readUpdateRequest) },
  'station-fields': { decode: asText(readFields) },
  transaction: { decode: decodeTransaction },
  'trie-node': { decode: decodeTrieNode },
  'varint-frames': { decode: (bytes) => new FrameReader().push(bytes) },
  websocket: { decode: (bytes) => closed(new SocketReader(16_384).take(bytes)), others: [(bytes) => closed(new SocketReader(16_384, 'text').take(bytes))] },
}

/** Refusals of JSON-RPC are words of its own, for the caller. */
function called(text: string): unknown {
  try {
    return parseEnvelope(text, 100)
  } catch (thrown) {
    if (thrown instanceof RpcError) return { refused: thrown.message }
    throw thrown
  }
}

/** A socket that is closed for its bytes has refused them. */
function closed(events: ReturnType<SocketReader['take']>): unknown {
  return events.some((event) => event.type === 'close' && event.code !== 1000) ? null : events
}
