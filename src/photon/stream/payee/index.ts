/** The payee's side of a stream: the box that sells by the second. `PayeeDesk` is the shell, the rest is pure. docs/photon-stream.md */
export { paidTicks, valueOf } from './channel.ts'
export type { HeldVoucher, PayeeChannel } from './channel.ts'
export type { ClaimFacts, ClaimReason } from './claim.ts'
export { PayeeDesk } from './desk.ts'
export type { PaidLife, StreamClaim, StreamDeskDeps, StreamFacts, StreamJournal, StreamPeer, StreamService } from './ports.ts'
export { channelOf, recordOf } from './record.ts'
export type { PayeePorts } from './step.ts'
