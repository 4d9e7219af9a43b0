/** What peer.cjs has: libp2p once, for boxes with payment channels and for boxes of a mesh. It is loaded by who needs it. */
export { Libp2pWire } from '../mesh/peers/io/libp2p-wire.ts'
export { Libp2pTransport } from '../photon/node/io/libp2p-transport.ts'
