/** What the desk says to whoever speaks to it. */
import { encodeFrame } from '../frames.ts'
import type { StreamFrame } from '../frames.ts'
import type { StreamPeer } from './ports.ts'

export function answer(peer: StreamPeer, frames: readonly StreamFrame[]): void {
  for (const frame of frames) peer.send(encodeFrame(frame))
}

export function refuse(peer: StreamPeer, session: number, type: number, code: number): void {
  answer(peer, [{ kind: 'refused', session, type, code }])
}
