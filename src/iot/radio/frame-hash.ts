/** A frame's name: SHA-256 of its bytes. Node's own, which is native code. */
import { hash } from 'node:crypto'
import type { FrameHash } from './door.ts'

export const frameHash: FrameHash = (phy) => hash('sha256', phy, 'hex')
