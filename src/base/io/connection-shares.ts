/** Nobody takes all places of a listener: what comes beyond a peer's share is closed before a byte of it is read. */
import type { Server, Socket } from 'node:net'

/** `keyOf`: who shares, of a remote address. */
export function limitPerPeer(server: Server, most: number, keyOf: (remoteAddress: string) => string): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket.remoteAddress ?? '')
    const count = (open.get(key) ?? 0) + 1
    if (count > most) return void socket.destroy()
    open.set(key, count)
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1
      if (left > 0) open.set(key, left)
      else open.delete(key)
    })
  })
}
