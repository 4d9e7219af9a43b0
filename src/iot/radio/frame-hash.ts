/** A frame's name: SHA-256 of its bytes. Node's own, which is native code. */
import { createHash } from 'node:crypto'
import type { FrameHash } from './door.ts'

export const frameHash: FrameHash = (phy) => createHash('sha256').update(phy).digest('hex')
