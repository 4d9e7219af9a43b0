/** A UDP socket that is connected to one server, so that the kernel lets nobody else's datagrams in. Sent before the name is known waits, a little of it. */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { UpstreamParts, UpstreamSocket } from '../northbound/upstream.ts'

const MAX_WAITING = 32

export const openUpstreamSocket: UpstreamParts['openSocket'] = ({ host, port }, onDatagram, onError): UpstreamSocket => {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  let waiting: Uint8Array[] | null = []
  let isClosed = false
  const fail = (error: Error): void => {
    if (!isClosed) onError(error)
  }
  const send = (bytes: Uint8Array): void => {
    socket.send(bytes, (error) => {
      if (error !== null) fail(error)
    })
  }
  socket.on('error', fail)
  socket.on('message', (bytes) => {
    if (!isClosed) onDatagram(bytes)
  })
  // Node calls it with the error too, when the name cannot be found.
  const onConnect = (error?: Error): void => {
    if (error !== undefined) return fail(error)
    const first = waiting ?? []
    waiting = null
    if (!isClosed) first.forEach(send)
  }
  socket.connect(port, host, onConnect as () => void)
  return {
    send(bytes) {
      if (isClosed) return
      if (waiting === null) return send(bytes)
      if (waiting.length < MAX_WAITING) waiting.push(bytes)
    },
    close() {
      if (isClosed) return
      isClosed = true
      socket.close()
    },
  }
}
