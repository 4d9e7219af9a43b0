/** Discovery's datagrams over UDP. */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { MeshBoxError } from '../../../base/index.ts'
import type { DatagramDoor } from '../discovery/discovery.ts'

export class UdpDoor implements DatagramDoor {
  #socket: Socket | null = null

  bind(address: string, port: number, onPacket: (bytes: Uint8Array, address: string, port: number) => void): Promise<number> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    this.#socket = socket
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => reject(new MeshBoxError('unavailable', `cannot bind UDP ${address}:${port}: ${error.message}`, { code: 'cannot-listen', cause: error })))
      socket.on('message', (bytes, from) => onPacket(new Uint8Array(bytes), from.address, from.port))
      socket.bind(port, address, () => {
        socket.removeAllListeners('error')
        socket.on('error', () => undefined) // one datagram that could not be sent or read is as good as lost
        resolve(socket.address().port)
      })
    })
  }

  send(bytes: Uint8Array, address: string, port: number): void {
    const isFor = this.#socket?.address().family === 'IPv6' ? address.includes(':') : !address.includes(':')
    if (isFor && port > 0) this.#socket?.send(bytes, port, address, () => undefined) // lost datagrams are sent again by who needs them
  }

  close(): Promise<void> {
    const socket = this.#socket
    this.#socket = null
    return new Promise((resolve) => (socket === null ? resolve() : socket.close(() => resolve())))
  }
}
