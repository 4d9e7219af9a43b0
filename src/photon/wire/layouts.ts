/** Every message of each profile. A new message is a file in messages/ and a line here. */
import type { Message, Profile } from '../ports.ts'
import type { Layout } from './layout.ts'
import { ackV1, ackV2 } from './messages/ack.ts'
import { directV1, directV2 } from './messages/direct.ts'
import { disposedV1, disposedV2 } from './messages/disposed.ts'
import { disposedResponseV1, disposedResponseV2, expiredV1, expiredV2, unlockV1, unlockV2 } from './messages/hash-and-envelope.ts'
import { lockedV1, lockedV2 } from './messages/locked.ts'
import { pingV1, pingV2 } from './messages/ping.ts'
import { reestablishV2 } from './messages/reestablish.ts'
import { revealV1, revealV2 } from './messages/reveal.ts'
import { secretRequestV1, secretRequestV2 } from './messages/secret-request.ts'
import { settleRequestV1, settleRequestV2, settleResponseV1, settleResponseV2 } from './messages/settle.ts'
import { withdrawRequestV1, withdrawRequestV2, withdrawResponseV1, withdrawResponseV2 } from './messages/withdraw.ts'

/** First bytes of v1 are below 0x20, stream frames' from 0x20, v2's from 0x40: a packet's first byte says what it is. */
const LAYOUTS: Readonly<Record<Profile, readonly Layout[]>> = {
  v1: [
    ackV1, pingV1, secretRequestV1, unlockV1, directV1, lockedV1, disposedV1, revealV1, expiredV1,
    settleRequestV1, settleResponseV1, withdrawRequestV1, withdrawResponseV1, disposedResponseV1,
  ],
  v2: [
    ackV2, pingV2, reestablishV2, directV2, lockedV2, unlockV2, expiredV2, disposedV2, disposedResponseV2,
    secretRequestV2, revealV2, settleRequestV2, settleResponseV2, withdrawRequestV2, withdrawResponseV2,
  ],
}

export interface LayoutTable {
  byKind(kind: Message['kind']): Layout | undefined
  byType(type: number): Layout | undefined
}

export function layoutsOf(profile: Profile): LayoutTable {
  const byKind = new Map(LAYOUTS[profile].map((layout) => [layout.kind, layout]))
  const byType = new Map(LAYOUTS[profile].map((layout) => [layout.type, layout]))
  return { byKind: (kind) => byKind.get(kind), byType: (type) => byType.get(type) }
}
