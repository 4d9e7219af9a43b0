/** RLPx: an encrypted, authenticated connection with bounded messages over any wire. docs/spectrum-sources.md */
export type { DisconnectCode, Hello } from './base-protocol.ts'
export type { Crypto, Secrets } from './handshake.ts'
export type { OpenParts } from './open.ts'
export type { Wire } from './wire.ts'
