/**
 * One libp2p stream as a pipe. libp2p's `resume` hands over what had come meanwhile, and only then opens the window: a `pause`
 * that this brings about would be undone by the rest of `resume`, and the peer could go on until the stream's buffer is full,
 * which ends it. So a pause that comes meanwhile is done when `resume` is through; what one window holds may come even so.
 */
import type { Stream } from '@libp2p/interface'
import { asError } from '../../../base/index.ts'
import type { BytePipe } from './peer-links.ts'

/** `closed`: the stream has been given up; its connection is to go too. */
export function streamPipe(stream: Stream, closed: () => void): BytePipe {
  let isHeld = false
  let isResuming = false
  const hold = (): void => {
    if (stream.readStatus === 'readable') stream.pause()
  }
  return {
    write: (bytes) => {
      try {
        stream.send(bytes)
      } catch (thrown) {
        stream.abort(asError(thrown)) // it was closed meanwhile: 'close' follows, the outbox remembers the frames
      }
    },
    queuedBytes: () => stream.writeBufferLength,
    pause: () => {
      isHeld = true
      if (!isResuming) hold()
    },
    resume: () => {
      isHeld = false
      if (isResuming || stream.readStatus !== 'paused') return
      isResuming = true
      try {
        stream.resume()
      } finally {
        isResuming = false
      }
      if (isHeld) hold()
    },
    close: () => {
      stream.abort(new Error('the link was ended'))
      closed()
    },
  }
}
