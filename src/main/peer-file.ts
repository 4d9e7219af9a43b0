/** What peer.cjs has: libp2p once, for boxes with payment channels and for boxes of a mesh. It is loaded by who needs it. */
